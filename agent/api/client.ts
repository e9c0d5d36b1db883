import { AgentError, type ErrorCode, errorTable } from '../core/agent-error.ts';
import type { ApiAnswer, ApiTransport, StreamEnd } from '../core/api-port.ts';
import type { SelftestOptions, ShutdownOrder } from './verbs.ts';
import type {
  ApplyDocument,
  DoctorDocument,
  EdgeDocument,
  EventsDocument,
  JoinDocument,
  LeaveDocument,
  LedgerDocument,
  LogLine,
  LogMessage,
  LogsDocument,
  PartsDocument,
  PlanDocument,
  RestartDocument,
  SamplesDocument,
  SelftestDocument,
  ShutdownDocument,
  StatusDocument,
  UnitStatus,
  UpdateDocument,
  VersionDocument,
  WatchMessage,
} from './wire.ts';

export { isGood } from '../health/condition.ts';

/** Time in milliseconds for questions that are answered from memory. */
const quickMs = 10_000;
/** Time in milliseconds for what looks at the machine or changes it. */
const longMs = 300_000;

/** Time in milliseconds for a change that waits for the cloud. */
const joinMs = 900_000;

/** Time in milliseconds for a part that has to prove itself first: its start alone may take minutes. */
const trialMs = 3_600_000;

/** A file to put in; see the route's body. */
export interface UpdateQuestion {
  readonly file: string;
  readonly sha256?: string;
  readonly version?: string;
  readonly dryRun?: boolean;
}

/** What leaving takes along; see the route's body. */
export interface LeaveQuestion {
  readonly removePods?: boolean;
  readonly removeImages?: boolean;
  readonly dryRun?: boolean;
}

/** Which lines to ask for; see the route's parameters. */
export interface LogsQuestion {
  readonly unit?: string;
  readonly n?: number;
  readonly since?: number;
  readonly grep?: string;
}

/** Everything the agent can be asked, typed. Rejects with the agent's own error, AGENT_UNREACHABLE or TIMED_OUT. */
export class AgentClient {
  readonly #transport: ApiTransport;

  constructor(transport: ApiTransport) {
    this.#transport = transport;
  }

  status(signal: AbortSignal): Promise<StatusDocument> {
    return this.#get('/v1/status', quickMs, signal);
  }

  version(signal: AbortSignal): Promise<VersionDocument> {
    return this.#get('/v1/version', quickMs, signal);
  }

  events(after: number, signal: AbortSignal): Promise<EventsDocument> {
    return this.#get(`/v1/events${queryText({ after })}`, quickMs, signal);
  }

  ledger(
    question: { readonly after?: number; readonly n?: number },
    signal: AbortSignal,
  ): Promise<LedgerDocument> {
    return this.#get(`/v1/ledger${queryText(question)}`, quickMs, signal);
  }

  samples(signal: AbortSignal): Promise<SamplesDocument> {
    return this.#get('/v1/samples', quickMs, signal);
  }

  plan(signal: AbortSignal): Promise<PlanDocument> {
    return this.#get('/v1/plan', longMs, signal);
  }

  doctor(signal: AbortSignal): Promise<DoctorDocument> {
    return this.#get('/v1/doctor', longMs, signal);
  }

  logs(question: LogsQuestion, signal: AbortSignal): Promise<LogsDocument> {
    return this.#get(`/v1/logs${queryText(question)}`, quickMs, signal);
  }

  apply(signal: AbortSignal): Promise<ApplyDocument> {
    return this.#post('/v1/apply', undefined, { timeoutMs: longMs, signal });
  }

  undo(signal: AbortSignal): Promise<ApplyDocument> {
    return this.#post('/v1/undo', undefined, { timeoutMs: longMs, signal });
  }

  unit(verb: 'start' | 'stop' | 'restart', name: string, signal: AbortSignal): Promise<UnitStatus> {
    const target = `/v1/units/${encodeURIComponent(name)}/${verb}`;
    return this.#post(target, undefined, { timeoutMs: longMs, signal });
  }

  restartAgent(signal: AbortSignal): Promise<RestartDocument> {
    return this.#post('/v1/agent/restart', undefined, { timeoutMs: quickMs, signal });
  }

  edge(signal: AbortSignal): Promise<EdgeDocument> {
    return this.#get('/v1/edge', quickMs, signal);
  }

  /** Joins a cluster; the order is checked by the agent. Takes as long as the cloud does. */
  join(order: object, signal: AbortSignal): Promise<JoinDocument> {
    return this.#post('/v1/edge/join', order, { timeoutMs: joinMs, signal });
  }

  leave(order: LeaveQuestion, signal: AbortSignal): Promise<LeaveDocument> {
    return this.#post('/v1/edge/leave', order, { timeoutMs: joinMs, signal });
  }

  parts(signal: AbortSignal): Promise<PartsDocument> {
    return this.#get('/v1/parts', quickMs, signal);
  }

  updatePart(part: string, order: UpdateQuestion, signal: AbortSignal): Promise<UpdateDocument> {
    return this.#post(`/v1/parts/${encodeURIComponent(part)}/update`, order, { timeoutMs: trialMs, signal });
  }

  rollbackPart(part: string, signal: AbortSignal): Promise<UpdateDocument> {
    return this.#post(`/v1/parts/${encodeURIComponent(part)}/rollback`, undefined, {
      timeoutMs: trialMs,
      signal,
    });
  }

  selftest(options: SelftestOptions, signal: AbortSignal): Promise<SelftestDocument> {
    return this.#post('/v1/selftest', options, { timeoutMs: longMs, signal });
  }

  shutdown(order: ShutdownOrder, signal: AbortSignal): Promise<ShutdownDocument> {
    return this.#post('/v1/shutdown', order, { timeoutMs: order.deadlineMs + quickMs, signal });
  }

  /** Calls the listener with the snapshot and each change until the stream ends; resolves with its reason. */
  async watch(listener: (message: WatchMessage) => void, signal: AbortSignal): Promise<string> {
    const hear = (message: unknown): void => listener(message as WatchMessage);
    return reasonOf(await this.#transport.stream('/v1/watch', hear, signal));
  }

  /** Calls the listener with the kept lines and each new one until the stream ends; resolves with its reason. */
  async followLogs(
    question: LogsQuestion,
    listener: (line: LogLine) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const hear = (message: unknown): void => listener((message as LogMessage).line);
    return reasonOf(await this.#transport.stream(`/v1/logs/follow${queryText(question)}`, hear, signal));
  }

  async #get<T>(target: string, timeoutMs: number, signal: AbortSignal): Promise<T> {
    return bodyOf(await this.#transport.request({ method: 'GET', target, timeoutMs }, signal)) as T;
  }

  async #post<T>(
    target: string,
    body: unknown,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<T> {
    return bodyOf(await this.#transport.request({ method: 'POST', target, body, timeoutMs }, signal)) as T;
  }
}

function queryText(question: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(question)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

function reasonOf(end: StreamEnd): string {
  if (end.how === 'refused') throw errorOf(end.answer);
  return end.reason;
}

function bodyOf(answer: ApiAnswer): unknown {
  if (answer.status === 200) return answer.body;
  throw errorOf(answer);
}

/** The agent's error as it was thrown there; an unknown code of a newer agent keeps its message. */
function errorOf({ status, body }: ApiAnswer): AgentError {
  const error = (body as { error?: { code?: unknown; message?: unknown } } | null)?.error;
  const message = typeof error?.message === 'string' ? error.message : `The agent answered ${status}`;
  const code = typeof error?.code === 'string' && isCode(error.code) ? error.code : codeOf(status);
  return new AgentError(code, message);
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}

function codeOf(status: number): ErrorCode {
  if (status === 504 || status === 408) return 'TIMED_OUT';
  return status >= 500 ? 'BUG' : 'REQUEST_INVALID';
}
