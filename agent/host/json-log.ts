import { isAgentError, messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Log, LogFields, LogLevel } from '../core/log.ts';
import { isoTime } from '../core/utc-text.ts';
import type { RotatingFile } from './rotating-file.ts';

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
/** Longest line in characters; a longer one loses its fields, never its event. */
const maxLineLength = 16_384;

/** The agent's structured log: one JSON object a line, `at`, `level` and `event` first. Never throws. */
export class JsonLog implements Log {
  readonly #file: Pick<RotatingFile, 'writeNow'>;
  readonly #clock: Clock;
  readonly #least: number;

  constructor(file: Pick<RotatingFile, 'writeNow'>, clock: Clock, level: LogLevel) {
    this.#file = file;
    this.#clock = clock;
    this.#least = ranks[level];
  }

  debug(event: string, fields?: LogFields): void {
    this.#write('debug', event, fields);
  }

  info(event: string, fields?: LogFields): void {
    this.#write('info', event, fields);
  }

  warn(event: string, fields?: LogFields): void {
    this.#write('warn', event, fields);
  }

  error(event: string, fields?: LogFields): void {
    this.#write('error', event, fields);
  }

  #write(level: LogLevel, event: string, fields: LogFields = {}): void {
    if (ranks[level] < this.#least) return;
    const head = { at: isoTime(this.#clock.wallMs()), level, event };
    let line = encode({ ...head, ...fields });
    if (line === undefined || line.length > maxLineLength)
      line = JSON.stringify({ ...head, fields: 'left out' });
    this.#file.writeNow([Buffer.from(`${line}\n`)]);
  }
}

/** Errors become their code and message; a value that JSON cannot hold makes the whole line undefined. */
function encode(value: object): string | undefined {
  try {
    return JSON.stringify(value, (_key, inner: unknown) => {
      if (isAgentError(inner)) return { code: inner.code, message: inner.message };
      if (inner instanceof Error) return { message: messageOf(inner) };
      return typeof inner === 'bigint' ? inner.toString() : inner;
    });
  } catch {
    return undefined;
  }
}
