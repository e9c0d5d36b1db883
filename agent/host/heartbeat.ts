import fs from 'node:fs';
import { errnoOf } from '../core/agent-error.ts';
import { readProc, readStat } from './proc-reader.ts';

/** Milliseconds from one sign of life to the next; launch.sh looks at an agent that gave none for 300 s. */
const beatMs = 60_000;
/** Signs of life at which the holder is looked for: on a busy machine it may not read yet at the first one. */
const looks = 3;

/**
 * Tells the holder of our mount namespace, which launch.sh starts, that the main thread turns: it ends an agent that says
 * nothing for long. It reads its standard input, a pipe. Where nobody holds a namespace, or a program of an older
 * launch.sh does, there is no such pipe and nobody is told.
 */
export class Heartbeat {
  readonly #record: string;
  readonly #timer: NodeJS.Timeout;
  #looked = 0;
  #pipe: number | undefined;

  /** `record` is where launch.sh leaves `BOOT PID START` of the holder. Begins at once. */
  constructor(record: string) {
    this.#record = record;
    this.#say('alive');
    this.#timer = setInterval(() => this.#say('alive'), beatMs).unref();
  }

  /** Says that this process ends, so that nobody waits for it. */
  stop(): void {
    clearInterval(this.#timer);
    this.#say('bye');
  }

  #say(word: string): void {
    try {
      this.#pipe ??= this.#open();
      if (this.#pipe === undefined) return;
      fs.writeSync(this.#pipe, `${word} ${process.pid} ${readStat(process.pid)?.startTicks}\n`);
    } catch (error) {
      // Full: whoever should read has not for days. It need not hear of it, and we must not wait for it.
      if (errnoOf(error) === 'EAGAIN' || this.#pipe === undefined) return;
      fs.closeSync(this.#pipe);
      this.#pipe = undefined;
    }
  }

  #open(): number | undefined {
    this.#looked += 1;
    if (this.#looked > looks) return undefined;
    const [boot, pid = '', start] = readProc(this.#record)?.trim().split(' ') ?? [];
    const isHolder =
      boot === readProc('/proc/sys/kernel/random/boot_id')?.trim() &&
      start === String(readStat(Number(pid))?.startTicks);
    const input = `/proc/${pid}/fd/0`;
    if (!isHolder || !fs.statSync(input).isFIFO()) return undefined;
    return fs.openSync(input, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
  }
}
