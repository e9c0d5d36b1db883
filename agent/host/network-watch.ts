import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import type { NetworkWatch } from '../core/ground.ts';
import { namesIn } from './ground-files.ts';
import { isNetwatchArch, netwatchProgram } from './netwatch-program.ts';

/** Time until a listener that ended is started again, in milliseconds. */
const restartMs = 60_000;

/**
 * Listens to the kernel's news about interfaces, addresses, routes and rules through one small child that sleeps until
 * there is any. Where the child cannot run, `isLive` is false and the caller has to look by itself.
 */
export class HostNetworkWatch implements NetworkWatch {
  readonly #directory: string;
  readonly #onChange: () => void;
  #child: ChildProcess | undefined;
  #isLive = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  /** `directory` takes the program for the moment of its start; it must allow execution. */
  constructor(directory: string, onChange: () => void) {
    this.#directory = directory;
    this.#onChange = onChange;
    removeLeftovers(directory);
    this.#start();
  }

  isLive(): boolean {
    return this.#isLive;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#child?.kill('SIGKILL');
  }

  /** A disk that is full, or a kernel without memory or descriptors, is tried again later. */
  #start(): void {
    if (!isNetwatchArch(process.arch)) return;
    const path = placeNetwatch(this.#directory);
    try {
      if (path !== undefined) this.#listen(path);
      else this.#ended();
    } catch {
      if (path !== undefined) removeFile(path);
      this.#ended();
    }
  }

  #listen(path: string): void {
    const child = spawn(path, [], { env: {}, cwd: '/', stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child = child;
    child.unref();
    child.once('spawn', () => removeFile(path));
    child.once('error', () => {
      removeFile(path);
      this.#ended();
    });
    child.once('exit', () => this.#ended());
    child.stdout.on('data', () => {
      this.#isLive = true;
      this.#onChange();
    });
  }

  /** Whatever happened while nobody listened is found by the look that this asks for. */
  #ended(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    if (this.#isLive) this.#onChange();
    this.#isLive = false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#start();
    }, restartMs);
    this.#timer.unref();
  }
}

/** Writes the program for this architecture; undefined where there is none or the directory takes no file. */
export function placeNetwatch(directory: string): string | undefined {
  if (!isNetwatchArch(process.arch)) return undefined;
  const path = `${directory}/netwatch.${process.pid}`;
  try {
    writeFileSync(path, netwatchProgram(process.arch), { mode: 0o700 });
    return path;
  } catch {
    return undefined;
  }
}

/** A copy that an agent wrote and was killed before it started it. */
function removeLeftovers(directory: string): void {
  for (const name of namesIn(directory)) {
    const pid = /^netwatch\.(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeFile(`${directory}/${name}`);
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Removed already.
  }
}
