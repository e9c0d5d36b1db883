import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { build } from 'esbuild';
import type { ProcessIdentity, RunningProcess } from '../../agent/core/process.ts';
import type { LogQuery, OutputCapture, UnitLogLine } from '../../agent/core/unit-logs.ts';
import { HostProcesses } from '../../agent/host/host-processes.ts';
import { HostUnitLogs } from '../../agent/host/host-unit-logs.ts';
import { chunkBytes } from '../../agent/host/output-pipe.ts';
import { pipeBytes } from '../../agent/host/piperoom-program.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { isTinyArch } from '../../agent/host/tiny-program.ts';
import { ToolRunner } from '../../agent/host/tool-runner.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const program = (name: string): string => path.resolve('test/programs', name);
const never = new AbortController().signal;

function temporary(t: TestContext, before: () => void = () => undefined): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'unit-logs-'));
  const alive = setInterval(() => undefined, 1_000);
  t.after(() => {
    clearInterval(alive);
    before();
    rmSync(directory, { recursive: true });
  });
  return directory;
}

function logsIn(directory: string, fileBytes = 16_777_216): HostUnitLogs {
  return new HostUnitLogs({
    clock: new SystemClock(),
    commands: new ToolRunner({ PATH: '/usr/bin:/bin' }),
    makePipe: ['/usr/bin/mkfifo'],
    logDir: `${directory}/log`,
    pipeDir: `${directory}/pipes`,
    budget: { fileBytes, files: 4 },
  });
}

async function start(capture: OutputCapture, name: string, ...args: string[]): Promise<RunningProcess> {
  return run(capture, process.execPath, program(name), ...args);
}

async function run(capture: OutputCapture, ...argv: [string, ...string[]]): Promise<RunningProcess> {
  const result = await new HostProcesses(new QuietLog(), '/tmp').spawn({
    argv,
    env: {},
    cwd: '/',
    output: capture.descriptors,
  });
  assert.ok(result.ok);
  return result.process;
}

async function all(logs: HostUnitLogs, query: Partial<LogQuery> = {}): Promise<UnitLogLine[]> {
  const lines: UnitLogLine[] = [];
  for await (const line of logs.lines({ unit: 'unit', ...query }, never)) lines.push(line);
  return lines;
}

/** Number of the last line that `floods.mjs` writes for so many bytes: it writes blocks of 863 lines of 76 bytes. */
function lastLine(bytes: number): number {
  return Math.ceil(bytes / (863 * 76)) * 863;
}

/** Waits until the log ends as it should, then returns all of it. */
async function settled(logs: HostUnitLogs, isLast: (line: UnitLogLine) => boolean): Promise<UnitLogLine[]> {
  for (;;) {
    const [last] = await all(logs, { count: 1 });
    if (last !== undefined && isLast(last)) return all(logs);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function endsWith(number: number): (line: UnitLogLine) => boolean {
  return (line) => numbers([line])[0] === number;
}

function numbers(lines: readonly UnitLogLine[]): number[] {
  return lines.flatMap(({ text }) => {
    const match = /^line (\d{9}) x{60}$/.exec(text);
    return match === null ? [] : [Number(match[1])];
  });
}

test('the last words of a unit are there as soon as its end is known, with time and stream', async (t) => {
  const directory = temporary(t);
  const logs = logsIn(directory);
  const capture = await logs.capture('unit');
  const before = Date.now();
  const child = await start(capture, 'last-words.mjs', '7');
  assert.deepEqual(await child.ended, { how: 'exited', code: 7 });
  assert.deepEqual([...(await capture.endLife(5))].sort(), ['hello', 'last words before 7']);
  const lines = await settled(logs, ({ text }) => text === 'last words before 7');
  assert.deepEqual(lines.map(({ stream, text }) => `${stream} ${text}`).sort(), [
    'err last words before 7',
    'out hello',
  ]);
  assert.ok(lines.every(({ atMs }) => atMs >= before - 1 && atMs <= Date.now()));
  await capture.close();
});

test('the last words of many that end as soon as they have spoken are never missed', async (t) => {
  const logs = logsIn(temporary(t));
  const capture = await logs.capture('unit');
  for (let round = 0; round < 40; round++) {
    capture.beginLife();
    const child = await run(capture, '/bin/sh', '-c', `echo out ${round}; echo err ${round} >&2; kill -9 $$`);
    await child.ended;
    assert.deepEqual([...(await capture.endLife(5))].sort(), [`err ${round}`, `out ${round}`]);
  }
  await capture.close();
});

test('what was in the pipe before the first life explains nothing about its end', async (t) => {
  const directory = temporary(t);
  const before = await logsIn(directory).capture('unit');
  const [pipe = ''] = readdirSync(`${directory}/pipes`);
  const unit = openSync(`${directory}/pipes/${pipe}`, constants.O_RDWR);
  await before.close();
  writeSync(unit, 'panic of somebody who is dead\n');
  const capture = await logsIn(directory).capture('unit');
  capture.beginLife();
  await (await run(capture, '/bin/sh', '-c', 'echo mine')).ended;
  assert.deepEqual(await capture.endLife(5), ['mine']);
  await capture.close();
  closeSync(unit);
});

test('a line that a dead unit left unfinished is a line', async (t) => {
  const logs = logsIn(temporary(t));
  const capture = await logs.capture('unit');
  await (await run(capture, '/bin/sh', '-c', 'echo whole; printf half')).ended;
  assert.deepEqual(capture.tail(5), ['whole']);
  assert.deepEqual(await capture.endLife(5), ['whole', 'half']);
  const lines = await settled(logs, ({ text }) => text === 'half');
  assert.deepEqual(
    lines.map(({ text }) => text),
    ['whole', 'half'],
  );
  await capture.close();
});

test('what one process said is kept, and is not among the last lines of the next one', async (t) => {
  const logs = logsIn(temporary(t));
  const capture = await logs.capture('unit');
  await (await start(capture, 'last-words.mjs', '1')).ended;
  capture.beginLife();
  await (await start(capture, 'last-words.mjs', '2')).ended;
  assert.deepEqual([...capture.tail(9)].sort(), ['hello', 'last words before 2']);
  const lines = await settled(logs, ({ text }) => text === 'last words before 2');
  assert.ok(lines.some(({ text }) => text === 'last words before 1'));
  await capture.close();
});

test('a flood is kept whole and in order, at the speed of the pipe, without growing', async (t) => {
  const directory = temporary(t);
  const logs = logsIn(directory, 3_000_000);
  const capture = await logs.capture('unit');
  const bytes = 6 * 1_048_576;
  const child = await start(capture, 'floods.mjs', String(bytes));
  await child.ended;
  capture.tail(1);
  const lines = await settled(logs, endsWith(lastLine(bytes)));
  const seen = numbers(lines);
  assert.equal(seen.length, lastLine(bytes));
  assert.equal(seen.length, lines.length, 'a line was torn');
  assert.ok(
    seen.every((number, index) => number === (seen[0] ?? 0) + index),
    'the order was lost',
  );
  assert.equal(capture.counts().droppedBytes, 0);
  await capture.close();
});

test('a unit prints half a megabyte before it has to wait for an agent that reads nothing', {
  skip: !isTinyArch(process.arch),
}, async (t) => {
  const directory = temporary(t);
  const logs = logsIn(directory);
  await (await logs.capture('unit')).close();
  const pipe = openSync(`${directory}/pipes/unit.out`, constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => closeSync(pipe));
  const capture = await logs.capture('unit');
  // /proc/PID/fdinfo does not tell the room of a pipe; what it takes while nobody turns the event loop does.
  const taken = (): number => {
    let bytes = 0;
    try {
      for (;;) bytes += writeSync(pipe, '\n'.repeat(4_096));
    } catch {
      return bytes;
    }
  };
  while (taken() < pipeBytes) await new Promise((resolve) => setTimeout(resolve, 5));
  await capture.close();
});

test('rotation keeps the files within their budget and the newest lines', async (t) => {
  const directory = temporary(t);
  const logs = logsIn(directory, 200_000);
  const capture = await logs.capture('unit');
  const child = await start(capture, 'floods.mjs', '4000000');
  await child.ended;
  capture.tail(1);
  const lines = await settled(logs, endsWith(lastLine(4_000_000)));
  const seen = numbers(lines);
  assert.ok(seen.every((number, index) => number === (seen[0] ?? 0) + index));
  const files = readdirSync(`${directory}/log`);
  assert.deepEqual(files.sort(), ['unit.log', 'unit.log.1', 'unit.log.2', 'unit.log.3']);
  for (const file of files) assert.ok(statSync(`${directory}/log/${file}`).size <= 200_000 + 16_384, file);
  await capture.close();
});

async function agentThatStarts(
  t: TestContext,
  directory: string,
  ...unit: string[]
): Promise<[ChildProcess, ProcessIdentity]> {
  const outfile = path.join(directory, 'agent.mjs');
  const entryPoints = ['test/programs/starts-a-unit.ts'];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' });
  const agent = spawn(process.execPath, [outfile, directory, ...unit], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => agent.kill('SIGKILL'));
  const [said] = (await once(agent.stdout, 'data')) as [Buffer];
  return [agent, JSON.parse(said.toString()) as ProcessIdentity];
}

test('a unit survives the SIGKILL of its agent, and the next agent misses at most one chunk of its output', async (t) => {
  const directory = temporary(t);
  const bytes = 12_000_000;
  const [agent, identity] = await agentThatStarts(
    t,
    directory,
    process.execPath,
    program('floods.mjs'),
    String(bytes),
  );
  agent.kill('SIGKILL');
  await once(agent, 'exit');
  const child = await new HostProcesses(new QuietLog(), '/tmp').adopt(identity);
  assert.ok(child !== undefined, 'the unit died with its agent');
  const logs = logsIn(directory, 33_554_432);
  const capture = await logs.capture('unit');
  await child.ended;
  capture.tail(1);
  const lines = await settled(logs, endsWith(lastLine(bytes)));
  const seen = numbers(lines);
  const missing = (seen.at(-1) ?? 0) - (seen[0] ?? 0) + 1 - seen.length;
  assert.ok(missing * 76 <= chunkBytes, `${missing} lines are missing`);
  assert.ok(seen.every((number, index) => index === 0 || number > (seen[index - 1] ?? 0)));
  await capture.close();
});

test('a full disk drops lines, says how many, and the unit never waits for it', async (t) => {
  const directory = temporary(t, () => spawnSync('umount', ['-l', `${directory}/log`]));
  mkdirSync(`${directory}/log`);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', `${directory}/log`]);
  if (mount.status !== 0) {
    t.skip('mounting a small disk needs root');
    return;
  }
  const logs = logsIn(directory);
  const capture = await logs.capture('unit');
  const child = await start(capture, 'floods.mjs', '3000000');
  assert.deepEqual(await child.ended, { how: 'exited', code: 0 });
  const { droppedBytes, trouble } = capture.counts();
  assert.ok(droppedBytes > 2_000_000, `${droppedBytes} bytes dropped`);
  assert.equal(trouble, 'ENOSPC');
  rmSync(`${directory}/log/unit.log`);
  await capture.close();
  const after = await logs.capture('unit');
  const next = await start(after, 'last-words.mjs', '0');
  await next.ended;
  after.tail(1);
  await settled(logs, ({ text }) => text === 'last words before 0');
  await after.close();
});

test('lines are chosen by count, time and text, oldest first', async (t) => {
  const directory = temporary(t);
  const logs = logsIn(directory, 100_000);
  const capture = await logs.capture('unit');
  const child = await start(capture, 'floods.mjs', '200000');
  await child.ended;
  capture.tail(1);
  const lines = await settled(logs, endsWith(lastLine(200_000)));
  const seen = numbers(lines);
  assert.deepEqual(numbers(await all(logs, { count: 3 })), seen.slice(-3));
  assert.deepEqual(numbers(await all(logs, { count: 0 })), []);
  const one = String(seen[1_500]).padStart(9, '0');
  assert.deepEqual(numbers(await all(logs, { grep: `LINE ${one}` })), [seen[1_500]]);
  assert.deepEqual(await all(logs, { sinceMs: Date.now() + 60_000 }), []);
  assert.deepEqual(await all(logs, { unit: 'nobody' }), []);
  await capture.close();
});

test('a follower sees every new line once, over rotations, until it leaves', async (t) => {
  const directory = temporary(t);
  const logs = logsIn(directory, 500_000);
  const capture = await logs.capture('unit');
  const leave = new AbortController();
  const seen: number[] = [];
  const following = (async () => {
    for await (const line of logs.lines({ unit: 'unit', count: 0, isFollowing: true }, leave.signal)) {
      seen.push(...numbers([line]));
    }
  })();
  for (let round = 0; round < 4; round += 1) {
    const child = await start(capture, 'floods.mjs', '300000');
    await child.ended;
    capture.tail(1);
    const expected = (round + 1) * lastLine(300_000);
    while (seen.length < expected) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  leave.abort();
  await following;
  assert.equal(seen.length, 4 * lastLine(300_000));
  assert.ok(existsSync(`${directory}/log/unit.log.1`), 'there was no rotation');
  await capture.close();
});
