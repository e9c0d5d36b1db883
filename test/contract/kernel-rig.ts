import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, type TestContext } from 'node:test';
import { build } from 'esbuild';
import type { PlanDocument } from '../../agent/api/wire.ts';
import type { Condition } from '../../agent/health/condition.ts';

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((file) => existsSync(file));
/** Why the real kernel cannot be used here; undefined where it can. */
export const missing =
  busybox === undefined
    ? 'busybox is not installed (apt install busybox-static)'
    : process.getuid?.() !== 0
      ? 'namespaces of our own need root'
      : undefined;

const iproute2 = ['/sbin/ip', '/usr/sbin/ip', '/usr/bin/ip'].find((file) => existsSync(file));
/** Why rules that busybox cannot make cannot be made here; undefined where they can. */
export const iproute2Missing = iproute2 === undefined ? 'iproute2 is not installed' : undefined;

const scratch = mkdtempSync(path.join(os.tmpdir(), 'ground-'));
const program = path.join(scratch, 'ground-rig.mjs');
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Answer<T> {
  readonly value?: T;
  readonly error?: string;
}

/** The ground work in namespaces of its own. */
export class KernelRig {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  static async start(t: TestContext, layout: 'image' | 'stock' | 'host'): Promise<KernelRig> {
    if (!existsSync(program)) {
      const entryPoints = ['test/programs/ground-rig.ts'];
      await build({
        entryPoints,
        outfile: program,
        bundle: true,
        platform: 'node',
        format: 'esm',
        target: 'node20',
      });
    }
    const directory = mkdtempSync(path.join(scratch, 'root-'));
    const argv = ['unshare', '-m', '-n', '--propagation', 'slave', process.execPath, program];
    const child = spawn(busybox as string, [...argv, layout, busybox as string, directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    t.after(async () => {
      child.stdin?.end();
      await ended;
    });
    const rig = new KernelRig(child, createInterface({ input: child.stdout })[Symbol.asyncIterator]());
    await rig.#next();
    return rig;
  }

  async ask<T = unknown>(request: Readonly<Record<string, unknown>>): Promise<T> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const answer = (await this.#next()) as Answer<T>;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value as T;
  }

  /** Runs busybox in the namespaces; a bad end is an error. */
  async tool(line: string): Promise<string> {
    const ended = await this.ask<{ code: number; stdout: string; stderr: string }>({
      do: 'tool',
      argv: line.split(' '),
    });
    assert.equal(ended.code, 0, `busybox ${line}: ${ended.stderr}`);
    return ended.stdout;
  }

  /** Runs this machine's own `ip` in the network namespace. */
  iproute2(line: string): void {
    const argv = ['-t', String(this.#child.pid), '-n', iproute2 ?? 'ip', ...line.split(' ')];
    const { status, stderr } = spawnSync('nsenter', argv, { encoding: 'utf8' });
    assert.equal(status, 0, `ip ${line}: ${stderr}`);
  }

  async kinds(): Promise<readonly string[]> {
    return (await this.ask<PlanDocument>({ do: 'plan' })).steps.map((step) => step.id);
  }

  async condition(type: string): Promise<Condition | undefined> {
    return (await this.ask<Condition[]>({ do: 'conditions' })).find((condition) => condition.type === type);
  }

  async #next(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('Cannot ask the rig: it has ended');
    return JSON.parse(value);
  }
}
