import fs from 'node:fs';
import { errnoOf } from '../core/agent-error.ts';
import type { Ended, ProcessIdentity, RunningProcess } from '../core/process.ts';
import { EndWatch } from './end-watch.ts';
import { parseStat } from './proc-reader.ts';

/** Milliseconds between two looks at adopted processes: by itself the kernel tells nobody of the end of a process but its parent. */
const lookMs = 100;
/** The same where the end of each of them will be told. */
const calmMs = 30_000;

/**
 * Watches processes that are no children of ours. The descriptor of /proc/PID/stat stays open: it belongs to the process,
 * not to the number, so a recycled pid is never mistaken for it, and one read shows both death and zombie.
 */
export class AdoptedProcesses {
  readonly #directory: string;
  readonly #watched = new Set<Adopted>();
  #timer: NodeJS.Timeout | undefined;
  #intervalMs = 0;

  /** `directory` takes a small program for a moment. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Takes over a process whose start time still matches; undefined otherwise. Its program is not compared: a start script
   * ends with `exec`, and no other process can have the same number and the same start within one boot. Throws where nobody can
   * tell just now, e.g. for want of descriptors: taken for gone, a unit would be started beside itself.
   */
  adopt(identity: ProcessIdentity): RunningProcess | undefined {
    let descriptor: number;
    try {
      descriptor = fs.openSync(`/proc/${identity.pid}/stat`, 'r');
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) return undefined;
      throw error;
    }
    const startTicks = isLiving(descriptor) ? readStartTicks(descriptor) : undefined;
    if (startTicks !== identity.startTicks) {
      fs.closeSync(descriptor);
      return undefined;
    }
    const watch = new EndWatch(this.#directory, identity.pid, () => this.#look());
    const adopted = new Adopted(identity, descriptor, watch);
    this.#watched.add(adopted);
    this.#pace();
    return adopted;
  }

  #look(): void {
    for (const adopted of this.#watched) if (adopted.hasEnded()) this.#watched.delete(adopted);
    this.#pace();
  }

  /** Waking up ten times a second is most of what an idle agent costs, so it is done only where nothing better is there. */
  #pace(): void {
    const isCalm = [...this.#watched].every(({ isTold }) => isTold);
    const wantedMs = this.#watched.size === 0 ? 0 : isCalm ? calmMs : lookMs;
    if (wantedMs === this.#intervalMs) return;
    clearInterval(this.#timer);
    this.#intervalMs = wantedMs;
    if (wantedMs > 0) this.#timer = setInterval(() => this.#look(), wantedMs).unref();
  }
}

class Adopted implements RunningProcess {
  readonly identity: ProcessIdentity;
  readonly isAdopted = true;
  readonly ended: Promise<Ended>;
  readonly #watch: EndWatch;
  #descriptor: number | undefined;
  #resolve: (ended: Ended) => void = () => undefined;

  constructor(identity: ProcessIdentity, descriptor: number, watch: EndWatch) {
    this.identity = identity;
    this.#descriptor = descriptor;
    this.#watch = watch;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get isTold(): boolean {
    return this.#watch.isLive;
  }

  hasEnded(): boolean {
    if (this.#descriptor === undefined) return true;
    if (isLiving(this.#descriptor)) return false;
    fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#watch.close();
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
const closeBracket = 0x29;
const zombie = 0x5a;
const dead = 0x58;

/** Reads the stat line into the shared buffer; 0 bytes where the process is gone. */
function readStatLine(descriptor: number): number {
  try {
    return fs.readSync(descriptor, statBuffer, 0, statBuffer.length, 0);
  } catch {
    return 0;
  }
}

/** Looks at the one letter of the state only: this runs ten times a second. */
function isLiving(descriptor: number): boolean {
  const length = readStatLine(descriptor);
  if (length === 0) return false;
  const state = statBuffer[statBuffer.lastIndexOf(closeBracket, length - 1) + 2];
  return state !== zombie && state !== dead;
}

function readStartTicks(descriptor: number): number | undefined {
  return parseStat(statBuffer.toString('latin1', 0, readStatLine(descriptor)))?.startTicks;
}
