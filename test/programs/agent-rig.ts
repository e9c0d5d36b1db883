// Runs the real agent under the real launcher on a board-shaped root in namespaces of its own, with a stand-in for init that
// starts it again whenever it ends; prints one JSON line per JSON line. Node is this machine's own with its loader, under
// the names that the launcher knows. An agent that says nothing for three times SILENCE seconds is ended by the launcher's holder.
// Usage: node agent-rig.mjs BUSYBOX DIRECTORY OVERLAY DIST NODE SILENCE LIBRARY…
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { homeDir, productDir } from '../../agent/core/constants.ts';
import { enterBoardRoot } from './board-root.ts';
import { untilItWaits } from './holder.ts';

const [busybox = '', directory = '', overlay = '', dist = '', node = '', silence = '', ...libraries] =
  process.argv.slice(2);
const loader = 'ld-linux-aarch64.so.1';

enterBoardRoot({ layout: 'image', busybox, directory }, () => {
  copyFileSync(path.join(overlay, 'system/bin/agentctl'), 'system/bin/agentctl');
  // Nobody waits for minutes here: this init does not give up.
  const launcher = readFileSync(path.join(overlay, `${productDir.slice(1)}/launch.sh`), 'utf8');
  writeFileSync(
    `.${productDir}/launch.sh`,
    launcher.replace('window=240', 'window=2').replace('silence=100', `silence=${silence}`),
  );
  for (const name of ['start.js', 'agent.js', 'agentctl.js'])
    copyFileSync(path.join(dist, name), `.${productDir}/${name}`);
  const agent = readFileSync(`.${productDir}/agent.js`, 'utf8');
  const lively = agent.replace('beatMs=6e4', 'beatMs=500');
  if (lively === agent) throw new Error('the bundle has no beatMs any more');
  writeFileSync(`.${productDir}/agent.js`, lively);
  for (const name of ['sh', 'mkdir', 'mv']) {
    copyFileSync(busybox, `system/bin/${name}`);
    chmodSync(`system/bin/${name}`, 0o755);
  }
  for (const name of ['bin', 'lib']) mkdirSync(`.${productDir}/runtime/${name}`, { recursive: true });
  copyFileSync(node, `.${productDir}/runtime/bin/node`);
  for (const file of libraries) {
    const base = path.basename(file);
    copyFileSync(file, `.${productDir}/runtime/lib/${base.startsWith('ld-') ? loader : base}`);
  }
});
mkdirSync(homeDir, { recursive: true });
const nap = `units:\n  nap: {argv: [${productDir}/bin/busybox, sleep, "100000"]}\n`;
const settings = `prep.enabled: false\ndockerd.enabled: false\nrestart.stableMs: 1000\n${nap}`;
writeFileSync(`${homeDir}/agent.yaml`, settings);

let ends = 0;
let isOver = false;
let agent: ChildProcess | undefined;
/** init starts a service again at once, whatever it ended with. */
function startService(): void {
  agent = spawn('/system/bin/sh', [`${productDir}/launch.sh`], { env: {}, stdio: 'ignore' });
  agent.once('exit', () => {
    ends += 1;
    if (!isOver) startService();
  });
}

const acts: Readonly<Record<string, (value: string) => unknown>> = {
  /** Runs agentctl as a person in a shell does. */
  ctl: async (line) => {
    const child = spawn('/system/bin/sh', ['/system/bin/agentctl', ...line.split(' ')], { env: {} });
    const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
    const code = await new Promise((resolve) => child.once('close', resolve));
    return { code, stdout: await stdout, stderr: await stderr };
  },
  /** Makes an archive with an agent that says it is another version; with `broken` behind it, one that ends at once. */
  make: (wish) => {
    const [version = '', isBroken] = wish.split(' ');
    const [first = '', ...rest] = readFileSync(`${productDir}/agent.js`, 'utf8').split('\n');
    const body = isBroken === undefined ? rest.join('\n') : 'throw new Error("broken on purpose");\n';
    mkdirSync(`/data/${version}`);
    writeFileSync(
      `/data/${version}/agent.js`,
      `${first.replace(/agent \d\S+ /, `agent ${version} `)}\n${body}`,
    );
    copyFileSync(`${productDir}/agentctl.js`, `/data/${version}/agentctl.js`);
    return new Promise((resolve) => {
      const argv = ['tar', '-C', '/data', '-cf', `/data/${version}.tar`, version];
      spawn('/system/bin/sh', ['-c', `${productDir}/bin/busybox ${argv.join(' ')}`]).once('close', resolve);
    });
  },
  ends: () => ends,
  hang: () => agent?.kill('SIGSTOP'),
  'until-ended': () => new Promise((resolve) => agent?.once('exit', (_code, signal) => resolve(signal))),
  /** Asks the agent to end, for good, and waits until its holder waits for nobody. */
  end: async () => {
    isOver = true;
    const ended = new Promise((resolve) => agent?.once('exit', resolve));
    agent?.kill('SIGTERM');
    const code = await ended;
    await untilItWaits('for ever');
    return code;
  },
  said: () => {
    const file = `${homeDir}/log/launch.log`;
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  },
};

startService();
console.log(JSON.stringify('ready'));
process.stdin.once('end', () => {
  isOver = true;
  process.exit(0);
});
for await (const line of createInterface({ input: process.stdin })) {
  const { act, value } = JSON.parse(line) as { readonly act: string; readonly value?: string };
  const answer = await Promise.resolve(acts[act]?.(value ?? '')).catch((error: unknown) => ({
    error: String(error),
  }));
  console.log(JSON.stringify(answer ?? null));
}
