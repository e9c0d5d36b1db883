// A board inside namespaces of its own: nothing that dockerd, edgecore and kubelet write reaches this machine, and the only
// way out are pipes to the cloud that is named. Starts the shipped agent again whenever it ends, as an init does.
// Usage: node edgecore-board.mjs SETTINGS   (one line of JSON); each line of JSON on standard input gets one as an answer.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

/** What the board is made of; all paths absolute. */
export interface BoardSettings {
  /** Scratch folder, in which `home` is the board's disk. */
  readonly folder: string;
  /** Where the cloud is for the board: an address or a name. */
  readonly host: string;
  readonly ports: readonly number[];
}

/** A program that is run on the board. */
export interface Order {
  readonly argv: readonly string[];
  readonly input?: string;
}

/** How it ended. */
export interface OrderEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const { folder, host, ports } = JSON.parse(process.argv[2] ?? '{}') as BoardSettings;
const log = `${folder}/agent.out`;

function must(program: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

/** Places that kubelet, edgecore and the agent write to besides those that the namespace hides already. */
function hidePlaces(): void {
  for (const place of ['/opt', '/var/log']) must('mount', '-t', 'tmpfs', 'tmpfs', place);
  for (const name of ['upper', 'work']) mkdirSync(`${folder}/home/libexec/${name}`, { recursive: true });
  const layers = `lowerdir=/usr/libexec,upperdir=${folder}/home/libexec/upper,workdir=${folder}/home/libexec/work`;
  must('mount', '-t', 'overlay', '-o', layers, 'overlay', '/usr/libexec');
}

/** Kubelet sets these for the whole machine (k8s.io/kubernetes pkg/kubelet/cm, setupKernelTunables); here it sets copies. */
function hideSysctls(): void {
  const names = [
    'vm/overcommit_memory',
    'vm/panic_on_oom',
    'kernel/panic',
    'kernel/panic_on_oops',
    'kernel/keys/root_maxkeys',
    'kernel/keys/root_maxbytes',
  ];
  mkdirSync(`${folder}/home/sysctl`);
  for (const name of names) {
    const copy = `${folder}/home/sysctl/${path.basename(name)}`;
    // Not by copyFile: to the kernel the file has no size.
    writeFileSync(copy, readFileSync(`/proc/sys/${name}`));
    must('mount', '--bind', copy, `/proc/sys/${name}`);
  }
}

/** A default route, which edgecore up to 1.15 asks for, that leads nowhere; and the cloud's address on this very board. */
function makeNetwork(): void {
  must('ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up1');
  must('ip', 'address', 'add', '192.0.2.2/24', 'dev', 'up0');
  for (const name of ['up1', 'up0']) must('ip', 'link', 'set', name, 'up');
  must('ip', 'route', 'add', 'default', 'via', '192.0.2.1');
  if (net.isIP(host) === 0) appendFileSync('/etc/hosts', `127.0.0.1 ${host}\n`);
  else if (!host.startsWith('127.')) must('ip', 'address', 'add', host, 'dev', 'lo');
}

/** Each connection goes on through a Unix socket to whoever made this namespace, and from there to the cloud. */
async function openPipes(): Promise<void> {
  for (const port of ports) {
    const server = net.createServer((near) => {
      const far = net.connect(`${folder}/cloud-${port}.sock`);
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => [near, far].map((one) => one.destroy()));
    });
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
  }
}

let isOver = false;
function startAgent(): void {
  const home = `${folder}/home`;
  const argv = [`${folder}/agent/agent.js`, '--home', home, '--product', `${folder}/product`];
  const agent = spawn(process.execPath, argv, { env: {}, stdio: ['ignore', 'ignore', 'pipe'] });
  agent.stderr.on('data', (chunk) => appendFileSync(log, String(chunk)));
  agent.once('exit', () => {
    if (!isOver) setTimeout(startAgent, 300);
  });
}

async function obey({ argv: [program = '', ...args], input = '' }: Order): Promise<OrderEnd> {
  const child = spawn(program, args);
  child.stdin.on('error', () => undefined).end(input);
  const failed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
  });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  return Promise.race([
    Promise.all([code, stdout, stderr]).then(([end, out, err]) => ({ code: end, stdout: out, stderr: err })),
    failed.then((stderrText) => ({ code: null, stdout: '', stderr: stderrText })),
  ]);
}

/** Groups of version 1 outlive the namespace that made them. */
function removeGroups(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroups(path.join(directory, entry.name));
  }
  rmdirSync(directory);
}

function end(): void {
  isOver = true;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    // The first process of this namespace ends by itself, after this one.
    if (pid > 1 && pid !== process.pid) process.kill(pid, 'SIGKILL');
  }
  for (const hierarchy of readdirSync('/sys/fs/cgroup')) {
    for (const name of ['kubepods', 'docker', 'k8s.io']) {
      try {
        removeGroups(`/sys/fs/cgroup/${hierarchy}/${name}`);
      } catch {
        // Not there, or its last process is still dying.
      }
    }
  }
  process.exit(0);
}

hidePlaces();
hideSysctls();
makeNetwork();
await openPipes();
writeFileSync(log, '');
startAgent();
console.log(JSON.stringify('ready'));
process.stdin.once('end', end);
for await (const line of createInterface({ input: process.stdin })) {
  void obey(JSON.parse(line) as Order).then((answer) => console.log(JSON.stringify(answer)));
}
