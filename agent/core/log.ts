/** Values that may stand in a log line. Secrets never do. */
export type LogFields = Readonly<Record<string, unknown>>;

/** How loud a line is; a line below the configured level is not written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Structured log port: an event name in past tense (`unit.ended`) and its facts. One line per transition; pure code
 * never logs.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
