import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

/** A unit said that it runs. */
export interface Started {
  readonly pid: number;
  /** Moment on the clock of `performance.now()`. */
  readonly atMs: number;
}

/**
 * The units that a supervisor is given: shell scripts whose first act is to announce their pid through a FIFO, so that
 * every supervisor's child is seen in the same way. Then they sleep, or print a file whenever they are told to.
 */
export class UnitSet {
  readonly dir: string;
  readonly names: readonly string[];
  readonly #fifo: net.Socket;
  readonly #go: number;
  readonly #started = new Map<string, Started>();
  readonly #waiters = new Map<string, ((started: Started) => void)[]>();
  #rest = '';

  /** With `floodFile` each unit prints that file after every `flood()`. */
  constructor(dir: string, names: readonly string[], floodFile?: string) {
    this.dir = dir;
    this.names = names;
    mkdirSync(dir, { recursive: true });
    const fifo = path.join(dir, 'announce');
    const go = path.join(dir, 'go');
    execFileSync('mkfifo', [fifo, go]);
    for (const name of names) {
      const body =
        floodFile === undefined
          ? 'exec sleep 100000000'
          : `while read -r word; do cat ${floodFile}; echo "${name}.printed $$" >${fifo}; done <>${go}`;
      const text = `#!/bin/sh\necho "${name} $$" >${fifo}\ncd ${dir}\necho $$ >${name}.pid\n${body}\n`;
      writeFileSync(this.script(name), text, { mode: 0o755 });
    }
    // Opened for writing too, so that the FIFO never reports its end between two units.
    const flags = constants.O_RDWR | constants.O_NONBLOCK;
    this.#go = openSync(go, flags);
    this.#fifo = new net.Socket({ fd: openSync(fifo, flags), readable: true, writable: false });
    this.#fifo.on('data', (chunk: Buffer) => this.#read(chunk.toString('latin1')));
  }

  /** Program of a unit; it needs neither arguments nor environment. */
  script(name: string): string {
    return path.join(this.dir, `${name}.sh`);
  }

  pidFile(name: string): string {
    return path.join(this.dir, `${name}.pid`);
  }

  /** Resolves with the next announcement of a unit. */
  async next(name: string, timeoutMs = 30_000): Promise<Started> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`Cannot see unit "${name}" start: no word of it within ${timeoutMs} ms`)),
        timeoutMs,
      );
      const waiters = this.#waiters.get(name) ?? [];
      waiters.push((started) => {
        clearTimeout(timer);
        resolve(started);
      });
      this.#waiters.set(name, waiters);
    });
  }

  /** Resolves when every unit has announced itself at least once. */
  async allStarted(): Promise<void> {
    await Promise.all(
      this.names.map(async (name) => {
        if (!this.#started.has(name)) await this.next(name);
      }),
    );
  }

  /** The latest announcement of a unit that has started. */
  latest(name: string): Started {
    const started = this.#started.get(name);
    if (started === undefined) throw new Error(`Cannot tell the pid of unit "${name}": it never started`);
    return started;
  }

  /** The latest process of each unit that has started. */
  pids(): readonly number[] {
    return this.names.flatMap((name) => this.#started.get(name)?.pid ?? []);
  }

  /** Kills a unit and resolves with the milliseconds until its successor ran its first line. */
  async killAndAwaitSuccessor(name: string): Promise<number> {
    const successor = this.next(name);
    const { pid } = this.latest(name);
    const killedAtMs = performance.now();
    process.kill(pid, 'SIGKILL');
    return (await successor).atMs - killedAtMs;
  }

  /** Makes one unit print its file; resolves when it has written the last byte. */
  async flood(name: string): Promise<void> {
    const printed = this.next(`${name}.printed`, 120_000);
    writeFileSync(this.#go, 'go\n');
    await printed;
  }

  close(): void {
    this.#fifo.destroy();
    closeSync(this.#go);
  }

  #read(text: string): void {
    const atMs = performance.now();
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [name = '', pid] = line.split(' ');
      const started = { pid: Number(pid), atMs };
      this.#started.set(name, started);
      for (const waiter of this.#waiters.get(name) ?? []) waiter(started);
      this.#waiters.delete(name);
    }
  }
}
