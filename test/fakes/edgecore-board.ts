import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { build } from 'esbuild';
import type { StatusDocument } from '../../agent/api/wire.ts';
import { busyboxPath, makeImage } from '../../agent/selftest/image.ts';
import { linkPrograms } from '../../scripts/dockerd/link-programs.ts';
import { namespaceOf } from '../../scripts/dockerd/namespace.ts';
import type { BoardSettings, Order, OrderEnd } from '../programs/edgecore-board.ts';

/** What is given: programs and a cloud that are real. */
export interface BoardParts {
  readonly edgecore: string;
  readonly release: string;
  /** Address of cloudcore as this machine reaches it; the board reaches it under the same one. */
  readonly host: string;
  readonly hubPort: number;
  readonly enrolPort: number;
}

const busybox = '/bin/busybox';
const cniDir = '/usr/lib/cni';
const diskSize = '1g';

/** The shipped agent with this machine's dockerd and a real edgecore, in namespaces of their own. */
export class EdgecoreBoard {
  readonly folder: string;
  /** Connections from the board to CloudHub: now, and the most there were at once. */
  readonly hub = { now: 0, most: 0 };
  #child: ChildProcess | undefined;
  #answers: AsyncIterator<string> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async start(t: TestContext, parts: BoardParts): Promise<EdgecoreBoard> {
    const folder = await mkdtemp(path.join(tmpdir(), 'edgecore-'));
    t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 }));
    const board = new EdgecoreBoard(folder);
    await board.#furnish(parts);
    for (const port of [parts.hubPort, parts.enrolPort]) t.after(await board.#bridge(parts, port));
    await board.#enter({ folder, host: parts.host, ports: [parts.hubPort, parts.enrolPort] });
    t.after(() => board.#leave());
    return board;
  }

  /** Runs a program on the board. One at a time. */
  run(argv: readonly string[], input = ''): Promise<OrderEnd> {
    const answer = this.#turn.then(async () => {
      this.#child?.stdin?.write(`${JSON.stringify({ argv, input } satisfies Order)}\n`);
      return this.#next<OrderEnd>();
    });
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  /** The same, and throws where it fails. */
  async must(argv: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, input);
    if (code === 0) return stdout;
    throw new Error(`${argv.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  }

  /** Runs agentctl as a person on the board does. */
  ctl(argv: readonly string[], input = ''): Promise<OrderEnd> {
    const { folder } = this;
    const program = [process.execPath, `${folder}/agent/agentctl.js`, '--socket', this.#socket];
    return this.run([...program, ...argv], input);
  }

  async status(): Promise<StatusDocument> {
    const { stdout, stderr } = await this.ctl(['status', '--json']);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as StatusDocument;
  }

  async pidOf(name: 'agent' | 'dockerd' | 'edgecore'): Promise<number | undefined> {
    const { agent, units } = await this.status();
    return name === 'agent' ? agent.pid : units.find((unit) => unit.name === name)?.pid;
  }

  /** Puts an image into dockerd and into the CRI of its containerd; there is no registry. */
  async importImage(name: string): Promise<void> {
    const archive = `${this.folder}/image.tar`;
    await writeFile(archive, await image(name, [busyboxPath, 'sleep', '2147483647']));
    const { bin } = this;
    await this.must([`${bin}/docker`, '-H', 'unix:///run/docker.sock', 'load', '-i', archive]);
    const socket = '/run/docker/containerd/containerd.sock';
    await this.must([`${bin}/ctr`, '-a', socket, '-n', 'k8s.io', 'images', 'import', archive]);
  }

  /** Takes edgecore's program away, or puts it back. */
  async hideEdgecore(isHidden: boolean): Promise<void> {
    const [there, gone] = [`${this.folder}/product/kubeedge/edgecore`, `${this.folder}/hidden-edgecore`];
    await (isHidden ? rename(there, gone) : rename(gone, there));
  }

  /** The last lines of every log, for whoever wants to know why. */
  async evidence(): Promise<string> {
    const names = ['agent', 'dockerd', 'edgecore'].map((name) => `${this.folder}/home/log/${name}.log`);
    const { stdout } = await this.run([
      '/bin/sh',
      '-c',
      `tail -n 25 ${names.join(' ')} ${this.folder}/agent.out`,
    ]);
    const status = await this.ctl(['status']);
    return `${stdout}\n${status.stdout}${status.stderr}`;
  }

  get bin(): string {
    return `${this.folder}/bin`;
  }

  get #socket(): string {
    return `${this.folder}/home/run/agent.sock`;
  }

  async #furnish({ edgecore, release }: BoardParts): Promise<void> {
    const { folder } = this;
    for (const name of ['home', 'etc', 'product/kubeedge', 'product/cni'])
      await mkdir(`${folder}/${name}`, { recursive: true });
    linkPrograms(undefined, this.bin);
    await copyFile('/usr/bin/ctr', `${this.bin}/ctr`);
    await this.#spareOomScores();
    await cp('dist', `${folder}/agent`, { recursive: true });
    await copyFile(edgecore, `${folder}/product/kubeedge/edgecore`);
    await chmod(`${folder}/product/kubeedge/edgecore`, 0o755);
    await writeFile(`${folder}/product/kubeedge/version`, `${release}\n`);
    for (const name of await readdir(cniDir))
      await copyFile(`${cniDir}/${name}`, `${folder}/product/cni/${name}`);
    await writeFile(
      `${folder}/product/pause.tar`,
      await image('test-pause:1', [busyboxPath, 'sleep', '2147483647']),
    );
    await build({
      entryPoints: ['test/programs/edgecore-board.ts'],
      outfile: `${folder}/board.mjs`,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'warning',
    });
  }

  /**
   * A pod's sandbox asks for oom_score_adj -998, and runc fails where nobody may go below what he has
   * (CAP_SYS_RESOURCE): there the wish is dropped on its way to runc.
   */
  async #spareOomScores(): Promise<void> {
    const capabilities = /^CapEff:\s*(\w+)/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '0';
    if (((BigInt(`0x${capabilities}`) >> 24n) & 1n) === 1n) return;
    const lines = [
      '#!/bin/sh',
      'before=',
      'for word; do',
      '  case $before in --bundle | -b) sed -i \'s/"oomScoreAdj": *-[0-9]*/"oomScoreAdj":0/\' "$word/config.json" ;; esac',
      '  before=$word',
      'done',
      'exec /usr/sbin/runc "$@"',
    ];
    await rm(`${this.bin}/runc`);
    await writeFile(`${this.bin}/runc`, `${lines.join('\n')}\n`, { mode: 0o755 });
  }

  /** Takes one port's connections out of the namespace. Returns what closes it. */
  async #bridge({ host, hubPort }: BoardParts, port: number): Promise<() => void> {
    const open = new Set<net.Socket>();
    const server = net.createServer((near) => {
      const far = net.connect(port, host);
      if (port === hubPort) this.hub.most = Math.max(this.hub.most, (this.hub.now += 1));
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) {
        open.add(socket);
        socket.on('error', () => [near, far].map((one) => one.destroy()));
      }
      near.once('close', () => {
        if (port === hubPort) this.hub.now -= 1;
      });
    });
    await new Promise<void>((resolve) => server.listen(`${this.folder}/cloud-${port}.sock`, resolve));
    return () => {
      for (const socket of open) socket.destroy();
      server.close();
    };
  }

  async #enter(settings: BoardSettings): Promise<void> {
    await writeFile(`${this.folder}/home-settings`, agentSettings(this.folder));
    // Its own cgroups too: kubelet wants one and the same group in every hierarchy.
    const namespaces = ['-C', ...namespaceOf(path.resolve('scripts/chaos/namespace.sh'))];
    const program = ['/bin/sh', '-c', 'cp "$0/home-settings" "$0/home/agent.yaml"; exec "$@"', this.folder];
    const inside = [process.execPath, `${this.folder}/board.mjs`, JSON.stringify(settings)];
    this.#child = spawn('unshare', [...namespaces, this.folder, diskSize, ...program, ...inside], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const out = this.#child.stdout;
    if (out === null) throw new Error('no output');
    this.#answers = createInterface({ input: out })[Symbol.asyncIterator]();
    await this.#next();
  }

  async #leave(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.stdin?.end();
    await ended;
  }

  async #next<T>(): Promise<T> {
    const line = await this.#answers?.next();
    if (line?.done !== false) throw new Error('The board is gone');
    return JSON.parse(line.value) as T;
  }
}

function agentSettings(folder: string): string {
  const settings = {
    'prep.enabled': false,
    'dockerd.binDir': `${folder}/bin`,
    'dockerd.dataRoot': `${folder}/home/docker`,
    'edgecore.binary': `${folder}/product/kubeedge/edgecore`,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
}

async function image(name: string, command: readonly string[]): Promise<Uint8Array> {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  return makeImage({ busybox: await readFile(busybox), architecture, name, command });
}
