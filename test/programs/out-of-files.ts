// Run with a small `ulimit -n`: uses up its descriptors, does what starts programs of its own accord, and prints how that went
// and what came of it. Usage: node out-of-files.mjs DIRECTORY BUSYBOX
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errnoOf, messageOf } from '../../agent/core/agent-error.ts';
import { DockerClient } from '../../agent/host/docker-client.ts';
import { HostGroundWatch } from '../../agent/host/ground-watch.ts';
import { HostProcesses } from '../../agent/host/host-processes.ts';
import { HostProductFiles } from '../../agent/host/host-product-files.ts';
import { HostSockets } from '../../agent/host/host-programs.ts';
import { HostUnitLogs } from '../../agent/host/host-unit-logs.ts';
import { readStat } from '../../agent/host/proc-reader.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { ToolRunner } from '../../agent/host/tool-runner.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const [directory = '', busybox = ''] = process.argv.slice(2);
mkdirSync(`${directory}/pipes`);
for (const name of ['unit.out', 'unit.err']) spawnSync(busybox, ['mkfifo', `${directory}/pipes/${name}`]);
const logs = new HostUnitLogs({
  clock: new SystemClock(),
  commands: new ToolRunner({}),
  makePipe: [busybox, 'mkfifo'],
  logDir: `${directory}/log`,
  pipeDir: `${directory}/pipes`,
  budget: { fileBytes: 1_000, files: 2 },
});
// libuv keeps a descriptor of its own from the first pipe on.
await (await logs.capture('unit')).close();
const identity = {
  pid: process.pid,
  startTicks: readStat(process.pid)?.startTicks ?? 0,
  bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  exe: process.execPath,
};
const taken: number[] = [];
/** Takes every descriptor that is free and tells how many these were. */
function takeAll(): number {
  const before = taken.length;
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    return taken.length - before;
  }
}
takeAll();
const lost: number[] = [];
// Two pipes with two ends want four.
for (const free of [1, 2, 3]) {
  for (let count = 0; count < free; count += 1) closeSync(taken.pop() ?? -1);
  await logs.capture('unit').then(
    () => lost.push(Number.NaN),
    () => undefined,
  );
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  lost.push(free - takeAll());
}
const adopted = await new HostProcesses(new QuietLog(), directory)
  .adopt(identity)
  .then((found) => found?.identity.pid ?? 'gone', messageOf);
const asked = await new DockerClient(`${directory}/docker.sock`)
  .request({ method: 'GET', path: '/_ping', timeoutMs: 1_000 }, new AbortController().signal)
  .catch((error: unknown) => errnoOf((error as Error).cause));
const looked = await new HostProcesses(new QuietLog(), directory)
  .facts(identity.pid)
  .then((found) => found?.pid ?? 'gone', messageOf);
const socket = await new HostSockets().state(`${directory}/program.mjs`, 1_000);
// One is left for the file that the listener is written to; its pipe wants two.
closeSync(taken.pop() ?? -1);
const watch = new HostGroundWatch(directory, () => undefined);
const { signal } = new AbortController();
const sum = await new HostProductFiles(busybox).sum(busybox, signal).catch(messageOf);
for (const descriptor of taken) closeSync(descriptor);
await new Promise((resolve) => setImmediate(resolve));
console.log(JSON.stringify({ isLive: watch.isLive(), sum, lost, adopted, asked, looked, socket }));
watch.close();
