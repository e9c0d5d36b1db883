// Stands in for an agent: starts argv[3…] as a unit whose output goes to the pipes in directory argv[2], prints the
// identity as JSON, and stays until it is killed.
import { HostProcesses } from '../../agent/host/host-processes.ts';
import { HostUnitLogs } from '../../agent/host/host-unit-logs.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { ToolRunner } from '../../agent/host/tool-runner.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const [directory = '', program = '', ...args] = process.argv.slice(2);
const logs = new HostUnitLogs({
  clock: new SystemClock(),
  commands: new ToolRunner({ PATH: '/usr/bin:/bin' }),
  makePipe: ['/usr/bin/mkfifo'],
  logDir: `${directory}/log`,
  pipeDir: `${directory}/pipes`,
  budget: { fileBytes: 1_048_576, files: 4 },
});
const capture = await logs.capture('unit');
const result = await new HostProcesses(new QuietLog(), '/tmp').spawn({
  argv: [program, ...args],
  env: {},
  cwd: '/',
  output: capture.descriptors,
});
if (!result.ok) throw new Error(result.errno);
console.log(JSON.stringify(result.process.identity));
setInterval(() => undefined, 1_000);
