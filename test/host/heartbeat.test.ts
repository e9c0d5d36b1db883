import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Heartbeat } from '../../agent/host/heartbeat.ts';
import { readStat } from '../../agent/host/proc-reader.ts';
import { privateDirectory } from './api-way.ts';

const bootId = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

interface Held {
  readonly holder: ChildProcess;
  readonly record: string;
  /** Our own end of the pipe. */
  readonly pipe: number;
  /** Leaves the pipe to the holder alone. */
  readonly letGo: () => void;
}

/** A program that holds a pipe as its standard input, as the one of launch.sh does, and never reads. */
async function hold(t: TestContext): Promise<Held> {
  const directory = await privateDirectory(t);
  const fifo = path.join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const input = fs.openSync(fifo, fs.constants.O_RDWR);
  const holder = spawn('sleep', ['100000'], { stdio: [input, 'ignore', 'ignore'] });
  await once(holder, 'spawn');
  fs.closeSync(input);
  const pipe = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  t.after(() => holder.kill('SIGKILL'));
  let isOpen = true;
  const letGo = (): void => {
    if (isOpen) fs.closeSync(pipe);
    isOpen = false;
  };
  t.after(letGo);
  const record = path.join(directory, 'namespace');
  fs.writeFileSync(record, `${bootId} ${holder.pid} ${readStat(holder.pid ?? 0)?.startTicks}\n`);
  return { holder, record, pipe, letGo };
}

/** What was said so far; undefined where nothing was. */
function heard(pipe: number): string | undefined {
  const buffer = Buffer.alloc(1_024);
  try {
    return buffer.toString('utf8', 0, fs.readSync(pipe, buffer));
  } catch {
    return undefined;
  }
}

const me = `${process.pid} ${readStat(process.pid)?.startTicks}`;

test('the holder hears at once that the agent lives, and that it ends', async (t) => {
  const { record, pipe } = await hold(t);
  const heartbeat = new Heartbeat(record);
  assert.equal(heard(pipe), `alive ${me}\n`);
  heartbeat.stop();
  assert.equal(heard(pipe), `bye ${me}\n`);
});

test('a holder that does not read makes nobody wait', async (t) => {
  const { record, pipe } = await hold(t);
  const words = Buffer.alloc(4_096, 'x');
  assert.throws(() => {
    for (;;) fs.writeSync(pipe, words);
  }, /EAGAIN/);
  const heartbeat = new Heartbeat(record);
  while (heard(pipe) !== undefined);
  heartbeat.stop();
  assert.equal(heard(pipe), `bye ${me}\n`);
});

test('a record of another boot, of another process or of none is not spoken to', async (t) => {
  const { holder, record, pipe } = await hold(t);
  const start = readStat(holder.pid ?? 0)?.startTicks ?? 0;
  for (const text of [
    `00000000-0000-0000-0000-000000000000 ${holder.pid} ${start}\n`,
    `${bootId} ${holder.pid} ${start + 1}\n`,
    `${bootId} ${holder.pid}\n`,
    `${bootId}\n`,
    '',
  ]) {
    fs.writeFileSync(record, text);
    new Heartbeat(record).stop();
  }
  fs.rmSync(record);
  new Heartbeat(record).stop();
  assert.equal(heard(pipe), undefined);
});

test('a holder without a pipe, as an older start script left it, is not spoken to', async (t) => {
  const { record } = await hold(t);
  const plain = spawn('sleep', ['100000'], { stdio: 'ignore' });
  await once(plain, 'spawn');
  t.after(() => plain.kill('SIGKILL'));
  fs.writeFileSync(record, `${bootId} ${plain.pid} ${readStat(plain.pid ?? 0)?.startTicks}\n`);
  new Heartbeat(record).stop();
});

test('a holder that is gone does not harm the agent', async (t) => {
  const { holder, record, letGo } = await hold(t);
  const heartbeat = new Heartbeat(record);
  letGo();
  const gone = once(holder, 'exit');
  holder.kill('SIGKILL');
  await gone;
  heartbeat.stop();
});
