import { messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';

/** Tries that the start of the agent waits for, and the pauses between these and between later ones in milliseconds. */
const patientTries = 3;
const soonMs = 1_000;
const lateMs = 10_000;

/** Reads once what the disk may refuse for the moment, e.g. for want of memory, and says whether that was done. */
export class FirstRead {
  readonly #ports: { readonly clock: Clock; readonly log: Log };
  readonly #read: () => Promise<void>;
  #isDone = false;

  constructor(ports: { readonly clock: Clock; readonly log: Log }, read: () => Promise<void>) {
    this.#ports = ports;
    this.#read = read;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Tries a few times. Never rejects. */
  async soon(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    for (let tries = 1; tries <= patientTries && !signal.aborted; tries += 1) {
      const error = await this.#try();
      if (error === undefined) return;
      log.error('edge.record-unreadable', { message: messageOf(error) });
      if (tries < patientTries) await clock.sleep(soonMs, signal).catch(() => undefined);
    }
  }

  /** Goes on trying; reports whether there was still something to do. */
  async late(signal: AbortSignal): Promise<boolean> {
    if (this.#isDone) return false;
    do await this.#ports.clock.sleep(lateMs, signal);
    while ((await this.#try()) !== undefined);
    return true;
  }

  async #try(): Promise<unknown> {
    try {
      await this.#read();
      this.#isDone = true;
      return undefined;
    } catch (error) {
      return error;
    }
  }
}
