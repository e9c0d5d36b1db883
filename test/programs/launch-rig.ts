// Runs the launcher of the overlay on a board-shaped root in namespaces of its own; prints one JSON line per JSON line.
// A shell script stands in for Node: it writes its mount namespace and limits into a file and sleeps.
// Usage: node launch-rig.mjs LAYOUT BUSYBOX DIRECTORY LAUNCHER SHELL
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { homeDir, productDir } from '../../agent/core/constants.ts';
import { readStat } from '../../agent/host/proc-reader.ts';
import { type BoardRoot, enterBoardRoot } from './board-root.ts';
import { holderPid, untilItWaits } from './holder.ts';

const [layout = '', busybox = '', directory = '', launcher = '', shell = ''] = process.argv.slice(2);
const note = `${homeDir}/run/agent-was-here`;
const parts = `${homeDir}/parts/agent`;
/** Where a changed launcher reads the state of a process from. */
const forgedState = `${homeDir}/run/state`;
let agent: ChildProcess | undefined;

enterBoardRoot({ layout: layout as BoardRoot['layout'], busybox, directory }, () => {
  copyFileSync(launcher, `.${productDir}/launch.sh`);
  copyFileSync(shell, 'system/bin/sh');
  copyFileSync(busybox, 'system/bin/busybox');
  for (const name of ['mkdir', 'readlink', 'sleep', 'mv', 'cat']) {
    writeFileSync(`system/bin/${name}`, `#!/system/bin/busybox sh\nexec /system/bin/busybox ${name} "$@"\n`);
    chmodSync(`system/bin/${name}`, 0o755);
  }
  mkdirSync(`.${productDir}/runtime/bin`, { recursive: true });
  const script = `#!/system/bin/busybox sh
echo "$(readlink /proc/self/ns/mnt) $(ulimit -n) $1 $2 $4" >${note}.new && mv ${note}.new ${note}
exec sleep 1000
`;
  writeFileSync(`.${productDir}/runtime/bin/node`, script, { mode: 0o755 });
  writeFileSync(`.${productDir}/agent.js`, "the image's");
});

const acts: Readonly<Record<string, (value: string) => unknown>> = {
  launch: async () => {
    rmSync(note, { force: true });
    agent = spawn('/system/bin/sh', [`${productDir}/launch.sh`], { env: {}, stdio: 'ignore' });
    const deadlineMs = performance.now() + 180_000;
    while (!existsSync(note) && performance.now() < deadlineMs) await turn();
    const [namespace, openFiles, script, code, slot] = readFileSync(note, 'utf8').trim().split(' ');
    return { pid: agent.pid, namespace, openFiles, script, code, slot };
  },
  /** As init does it on request, after its stop job. */
  kill: async () => {
    writeFileSync(`${homeDir}/run/stopped`, '');
    await end();
  },
  crash: () => end(),
  /** An agent in an endless loop, not started by the launcher. */
  spin: () => {
    agent = spawn('/system/bin/busybox', ['sh', '-c', 'while :; do :; done'], { stdio: 'ignore' });
  },
  /** Makes a file of the folder for logs: nothing can be written there. */
  'spoil-log': () => {
    rmSync(`${homeDir}/log`, { recursive: true, force: true });
    writeFileSync(`${homeDir}/log`, '');
  },
  /** Puts an agent into slot `new` and writes the record; BASE in it becomes the sum of the image's own agent. */
  update: (record) => {
    const image = readFileSync(`${productDir}/agent.js`);
    const base = createHash('sha256').update(image).digest('hex');
    mkdirSync(`${parts}/new`, { recursive: true });
    writeFileSync(`${parts}/new/agent.js`, 'the new one');
    writeFileSync(`${parts}/record`, record.replace('BASE', base));
  },
  /** Lets nothing be written at a path. */
  spoil: (file) => mkdirSync(file),
  /** Lets the reading of a file give EIO: nothing lies at the first address of a process. */
  'lose-blocks': (file) =>
    spawnSync('/system/bin/busybox', ['mount', '--bind', `/proc/${process.pid}/mem`, file]).status,
  starts: () => (existsSync(`${parts}/starts`) ? readFileSync(`${parts}/starts`, 'utf8').trim() : ''),
  /** Waits until the agent is gone, and answers how. */
  ended: () =>
    new Promise((resolve) => {
      if (agent?.signalCode != null) resolve(agent.signalCode);
      agent?.once('exit', (code, signal) => resolve(signal ?? code));
    }),
  record: () => readFileSync(`${homeDir}/run/namespace`, 'utf8').trim().split(' '),
  forge: (text) => writeFileSync(`${homeDir}/run/namespace`, text),
  said: () => readFileSync(`${homeDir}/log/launch.log`, 'utf8'),
  /** Waits until the launcher or its holder has said this. */
  'until-said': async (words) => {
    while (!readFileSync(`${homeDir}/log/launch.log`, 'utf8').includes(words)) await turn();
  },
  /** What the agent's main thread says to the holder; ME in it becomes its process and start time. */
  tell: (text) => {
    const me = `${agent?.pid} ${readStat(agent?.pid ?? 0)?.startTicks}`;
    writeFileSync(`/proc/${holderPid()}/fd/0`, text.replaceAll('ME', me), { flag: 'r+' });
  },
  'until-it-waits': (how) => untilItWaits(how),
  'forge-state': (state) => writeFileSync(forgedState, `${state}\n`),
  hang: () => {
    const file = `${homeDir}/state/agent-hang.log`;
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  },
  /** Makes a folder of the file that a hang is written to. */
  'spoil-hang': () => mkdirSync(`${homeDir}/state/agent-hang.log`),
  release: async () => {
    const pid = holderPid();
    process.kill(pid, 'SIGKILL');
    // Gone means that its name in /proc no longer tells a living process.
    while (isAlive(pid)) await turn();
  },
};

async function end(): Promise<void> {
  const ended = new Promise((resolve) => agent?.once('exit', resolve));
  agent?.kill('SIGKILL');
  await ended;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

console.log(JSON.stringify('ready'));
process.stdin.once('end', () => process.exit(0));
for await (const line of createInterface({ input: process.stdin })) {
  const { act, value } = JSON.parse(line) as { readonly act: string; readonly value?: string };
  const answer = await Promise.resolve(acts[act]?.(value ?? '')).catch((error: unknown) => ({
    error: String(error),
  }));
  console.log(JSON.stringify(answer ?? null));
}
agent?.kill('SIGKILL');
process.exit(0);
