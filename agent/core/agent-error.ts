/** One row per error code: the HTTP status the API answers with and the exit code a command ends with. */
interface ErrorRow {
  readonly http: number;
  readonly exit: number;
}

/**
 * Every error that people or programs can meet. Exit codes: 2 usage, 3 agent unreachable, 4 refused, 5 timed out,
 * 70 bug, 78 configuration (the init must not restart for it).
 */
export const errorTable = {
  USAGE: { http: 400, exit: 2 },
  REQUEST_INVALID: { http: 400, exit: 2 },
  INPUT_INVALID: { http: 400, exit: 2 },
  FORBIDDEN: { http: 403, exit: 4 },
  BUSY: { http: 409, exit: 4 },
  NOT_FOUND: { http: 404, exit: 4 },
  METHOD_NOT_ALLOWED: { http: 405, exit: 2 },
  UNIT_UNKNOWN: { http: 404, exit: 4 },
  UNIT_REFUSED: { http: 409, exit: 4 },
  STEP_FAILED: { http: 500, exit: 4 },
  TOOL_FAILED: { http: 500, exit: 4 },
  FILE_FAILED: { http: 500, exit: 4 },
  PART_REFUSED: { http: 409, exit: 4 },
  SELFTEST_FAILED: { http: 409, exit: 4 },
  AGENT_UNREACHABLE: { http: 503, exit: 3 },
  ALREADY_RUNNING: { http: 409, exit: 4 },
  TIMED_OUT: { http: 504, exit: 5 },
  TOO_LARGE: { http: 413, exit: 2 },
  CONFIG_INVALID: { http: 400, exit: 78 },
  BUG: { http: 500, exit: 70 },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

/**
 * The one error class. The message says the act that failed, a colon, the facts now and wanted, and ends with the fix.
 * Secrets never go into a message.
 */
export class AgentError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AgentError';
    this.code = code;
  }
}

/** Reports whether a thrown value is an AgentError, optionally with one certain code. */
export function isAgentError(error: unknown, code?: ErrorCode): error is AgentError {
  return error instanceof AgentError && (code === undefined || error.code === code);
}

/** Reports whether a thrown value is Node's abort error or the reason of an aborted signal: never worth a log line. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}

/** The errno word (`ENOENT`) of a system error, or undefined where the value carries none. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** One line for a thrown value of any kind. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
