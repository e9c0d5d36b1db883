import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { namesIn } from './ground-files.ts';

/** Time until a child that ended is started again, in milliseconds. */
const restartMs = 60_000;
/** The same for one that found the kernel unable to tell anything. */
const hopelessMs = 3_600_000;

/** What a child does and whom it tells. */
export interface TinyChildParts {
  /** Takes the program for the moment of its start; it must allow execution. */
  readonly directory: string;
  /** What it is, and after a dash which one. */
  readonly name: string;
  /** The whole program; undefined where there is none for this architecture. */
  readonly program: Uint8Array | undefined;
  /** Gets each piece of what it says; from the first one on it watches. */
  readonly said: (words: string) => void;
  /** Called when one that watched has ended: whatever happened since is for others to find. */
  readonly ended: () => void;
}

/**
 * A small program of our own that sleeps until there is something to say. Where it cannot run, or for a while after it
 * ended, `isLive` is false and the caller has to look by itself.
 */
export class TinyChild {
  readonly #parts: TinyChildParts;
  #child: ChildProcess | undefined;
  #isLive = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: TinyChildParts) {
    this.#parts = parts;
    removeLeftovers(parts.directory, parts.name);
    this.#start();
  }

  get isLive(): boolean {
    return this.#isLive;
  }

  close(): void {
    this.#isClosed = true;
    this.#isLive = false;
    clearTimeout(this.#timer);
    this.#child?.kill('SIGKILL');
  }

  /** A disk that is full, or a kernel without memory or descriptors, is tried again later. */
  #start(): void {
    const { directory, name, program } = this.#parts;
    if (program === undefined) return;
    const path = placeProgram(directory, name, program);
    try {
      if (path !== undefined) this.#listen(path);
      else this.#ended();
    } catch {
      if (path !== undefined) removeFile(path);
      this.#ended();
    }
  }

  #listen(path: string): void {
    const child = spawnOnce(path, ['ignore', 'pipe', 'ignore']);
    this.#child = child;
    child.once('error', () => this.#ended());
    child.once('exit', (code) => this.#ended(code === 1 && !this.#isLive ? hopelessMs : restartMs));
    child.stdout?.on('data', (words: Buffer) => {
      if (this.#isClosed) return;
      this.#isLive = true;
      this.#parts.said(words.toString('latin1'));
    });
  }

  #ended(againMs = restartMs): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#start();
    }, againMs);
    this.#timer.unref();
    const wasLive = this.#isLive;
    this.#isLive = false;
    if (wasLive) this.#parts.ended();
  }
}

/** Runs a small program to its end, which nobody waits for; it gets the descriptors as standard output and error. */
export function runOnce(
  parts: Pick<TinyChildParts, 'directory' | 'name' | 'program'>,
  descriptors: { readonly out: number; readonly err: number },
): void {
  const { directory, name, program } = parts;
  if (program === undefined) return;
  removeLeftovers(directory, name);
  const path = placeProgram(directory, name, program);
  if (path === undefined) return;
  try {
    spawnOnce(path, ['ignore', descriptors.out, descriptors.err]);
  } catch {
    removeFile(path);
  }
}

/** Writes a program to where it can be started; undefined where the directory takes no file. */
export function placeProgram(directory: string, name: string, program: Uint8Array): string | undefined {
  const path = `${directory}/${name}.${process.pid}`;
  try {
    writeFileSync(path, program, { mode: 0o700 });
    return path;
  } catch {
    return undefined;
  }
}

/** Starts a program that was placed for this one start, and takes it away again. */
function spawnOnce(path: string, stdio: StdioOptions): ChildProcess {
  const child = spawn(path, [], { env: {}, cwd: '/', stdio });
  child.unref();
  child.once('spawn', () => removeFile(path));
  child.once('error', () => removeFile(path));
  return child;
}

/** A copy that an agent wrote and was killed before it started it. */
function removeLeftovers(directory: string, name: string): void {
  for (const file of namesIn(directory)) {
    const [, kind, pid] = /^([a-z]+)(?:-\d+)?\.(\d+)$/.exec(file) ?? [];
    if (kind !== name.split('-')[0]) continue;
    if (!existsSync(`/proc/${pid}`)) removeFile(`${directory}/${file}`);
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Removed already.
  }
}
