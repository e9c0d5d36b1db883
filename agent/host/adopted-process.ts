import fs from 'node:fs';
import type { Ended, ProcessIdentity, RunningProcess } from '../core/process.ts';
import { parseStat } from './proc-reader.ts';

/** Milliseconds between two looks at adopted processes: nobody is told of the end of a process that is not a child. */
const lookMs = 100;

/**
 * Watches processes that are no children of ours. The descriptor of /proc/PID/stat stays open: it belongs to the process,
 * not to the number, so a recycled pid is never mistaken for it, and one read shows both death and zombie.
 */
export class AdoptedProcesses {
  readonly #watched = new Set<Adopted>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * Takes over a process whose start time still matches; undefined otherwise. Its program is not compared: a start script
   * ends with `exec`, and no other process can have the same number and the same start within one boot.
   */
  adopt(identity: ProcessIdentity): RunningProcess | undefined {
    let descriptor: number;
    try {
      descriptor = fs.openSync(`/proc/${identity.pid}/stat`, 'r');
    } catch {
      return undefined;
    }
    const stat = readLiving(descriptor);
    if (stat?.startTicks !== identity.startTicks) {
      fs.closeSync(descriptor);
      return undefined;
    }
    const adopted = new Adopted(identity, descriptor);
    this.#watched.add(adopted);
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref();
    return adopted;
  }

  #look(): void {
    for (const adopted of this.#watched) if (adopted.hasEnded()) this.#watched.delete(adopted);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

class Adopted implements RunningProcess {
  readonly identity: ProcessIdentity;
  readonly isAdopted = true;
  readonly ended: Promise<Ended>;
  #descriptor: number | undefined;
  #resolve: (ended: Ended) => void = () => undefined;

  constructor(identity: ProcessIdentity, descriptor: number) {
    this.identity = identity;
    this.#descriptor = descriptor;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  hasEnded(): boolean {
    if (this.#descriptor === undefined) return true;
    if (readLiving(this.#descriptor) !== undefined) return false;
    fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#resolve({ how: 'unknown' });
    return true;
  }

  signal(signal: NodeJS.Signals): boolean {
    if (this.hasEnded()) return false;
    try {
      return process.kill(this.identity.pid, signal);
    } catch {
      return false;
    }
  }
}

const statBuffer = Buffer.alloc(1024);

/** Stat line behind an open descriptor, or undefined where the process is gone or a zombie. */
function readLiving(descriptor: number): ReturnType<typeof parseStat> {
  try {
    const length = fs.readSync(descriptor, statBuffer, 0, statBuffer.length, 0);
    const stat = parseStat(statBuffer.toString('latin1', 0, length));
    return stat?.state === 'Z' || stat?.state === 'X' ? undefined : stat;
  } catch {
    return undefined;
  }
}
