import { parseDocument } from 'yaml';
import type { JoinDocument } from '../api/wire.ts';
import { isAbort, messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { HealthBoard } from '../health/board.ts';

/** What a board that joins by itself needs. */
export interface JoinFilePorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly log: Log;
  readonly board: HealthBoard;
  /** Path of the file. */
  readonly path: string;
  /** Takes the file out of the sight of others; whoever pushed it may have left it readable for all. */
  readonly protect: () => Promise<void>;
  readonly isJoined: () => boolean;
  readonly join: (order: unknown, signal: AbortSignal) => Promise<JoinDocument>;
}

const condition = 'JoinedByFile';
const maxBytes = 65_536;
/** Between two tries while only the network or the clock is missing, and between two looks at a file that is wrong. */
const againMs = 15_000;
const lookMs = 60_000;

/** Reasons that go away by themselves on a board that has just been switched on. */
const passing = new Set([
  'CloudRefused',
  'CloudNoRoute',
  'CloudTimedOut',
  'CloudNameUnknown',
  'ClockWrong',
  'PortBusy',
]);

/**
 * Joins from a file that was put on the board beforehand, once, and then removes the file: it holds a token. Waits for
 * network and clock as long as it takes; a file that is wrong is looked at again when it changes.
 */
export class JoinFile {
  readonly #ports: JoinFilePorts;

  constructor(ports: JoinFilePorts) {
    this.#ports = ports;
  }

  /** Returns when the board has joined or there is no file. */
  async run(signal: AbortSignal): Promise<void> {
    let refused: string | undefined;
    let seen: string | undefined;
    for (;;) {
      const text = await this.#read();
      if (text === undefined) return;
      if (text !== seen) await this.#protect();
      seen = text;
      if (this.#ports.isJoined()) {
        await this.#forget('edge.join-file-removed');
        return;
      }
      if (text !== refused) {
        const problem = await this.#try(text, signal);
        if (problem === undefined) return;
        refused = problem === 'passing' ? undefined : text;
      }
      await this.#ports.clock.sleep(refused === undefined ? againMs : lookMs, signal);
    }
  }

  async #try(text: string, signal: AbortSignal): Promise<'passing' | 'permanent' | undefined> {
    const order = parseOrder(text);
    if (!order.ok) return this.#refuse('FileInvalid', order.problem);
    try {
      const document = await this.#ports.join(order.value, signal);
      if (document.joined) {
        await this.#forget('edge.joined-by-file');
        return undefined;
      }
      const errors = document.problems.filter(({ severity }) => severity === 'error');
      const [first] = errors;
      this.#refuse(first?.reason ?? 'Failed', errors.map(({ message }) => message).join('; '));
      return errors.every(({ reason }) => passing.has(reason)) ? 'passing' : 'permanent';
    } catch (error) {
      if (isAbort(error)) throw error;
      this.#refuse('Failed', messageOf(error));
      return 'passing';
    }
  }

  #refuse(reason: string, message: string): 'permanent' {
    const { board, log, path } = this.#ports;
    if (board.get(condition)?.message !== message)
      log.warn('edge.join-file-refused', { path, reason, message });
    board.set(condition, 'false', { reason, message });
    return 'permanent';
  }

  /** A join is worth more than the mode of its file. */
  async #protect(): Promise<void> {
    const { protect, log, path } = this.#ports;
    await protect().catch((error: unknown) =>
      log.warn('edge.join-file-unprotected', { path, message: messageOf(error) }),
    );
  }

  async #read(): Promise<string | undefined> {
    try {
      return await this.#ports.files.read(this.#ports.path, maxBytes);
    } catch (error) {
      this.#refuse('FileUnreadable', messageOf(error));
      return '';
    }
  }

  /** Emptied first: a power cut between the two acts must not leave a token. */
  async #forget(event: string): Promise<void> {
    const { files, board, log, path } = this.#ports;
    await files.replace(path, '', { mode: 0o600 });
    await files.remove(path);
    board.clear(condition);
    log.info(event, { path });
  }
}

type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string };

function parseOrder(text: string): Parsed {
  const document = parseDocument(text, { schema: 'core' });
  const [error] = document.errors;
  if (error !== undefined) {
    // The parser quotes the line, which may be the one with the token.
    const line = error.linePos?.[0].line ?? 0;
    return { ok: false, problem: `The join file is no YAML at line ${line} (${error.code}); correct it` };
  }
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: 0 }) };
  } catch {
    return { ok: false, problem: 'The join file uses aliases; write the values out' };
  }
}
