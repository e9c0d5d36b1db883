import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { LogQuery, UnitLogLine } from '../../agent/core/unit-logs.ts';
import { LineStamper } from '../../agent/host/line-stamper.ts';
import { readLines } from '../../agent/host/log-lines.ts';
import { ReadSpace } from '../../agent/host/output-pipe.ts';
import { RotatingFile } from '../../agent/host/rotating-file.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { Turns } from '../../agent/host/turns.ts';
import { headroomBytes, WholeLines } from '../../agent/host/whole-lines.ts';

const never = new AbortController().signal;
const startMs = Date.UTC(2026, 0, 1);
const space = new ReadSpace(headroomBytes).chunk;
const files = 6;

function directory(t: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'stored-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

/** Stores output as it comes from a pipe, in pieces of these sizes, a millisecond apart. */
function store(file: string, bytes: Buffer, sizes: readonly number[], fileBytes: number): void {
  const log = new RotatingFile(file, { fileBytes, files }, () => startMs);
  const lines = new WholeLines();
  const stamper = new LineStamper();
  const keep = (whole: Buffer, turn: number): void => {
    if (whole.length > 0) log.writeNow(stamper.encode(whole, 'o', startMs + turn));
  };
  let turn = 0;
  for (let from = 0; from < bytes.length; turn += 1) {
    const length = bytes.copy(space, 0, from, from + (sizes[turn % sizes.length] ?? 1));
    keep(lines.push(space.subarray(0, length)), turn);
    from += length;
  }
  keep(lines.finish(), turn);
  log.close();
}

async function read(
  file: string,
  query: Partial<LogQuery> = {},
  turns = new Turns(1),
): Promise<readonly UnitLogLine[]> {
  const lines: UnitLogLine[] = [];
  const asked = { unit: 'unit', ...query };
  const reading = { file, files, query: asked, clock: new SystemClock(), signal: never, turns };
  for await (const line of readLines(reading)) lines.push(line);
  return lines;
}

const line = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 120 }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 20_000 }).map((length) => new Uint8Array(length).fill(0x78)),
  },
  { weight: 1, arbitrary: fc.constant(Buffer.from('2026-01-01T00:00:00.000Z e not ours')) },
);
const output = fc
  .array(line, { minLength: 1, maxLength: 300 })
  .map((lines) => Buffer.concat(lines.flatMap((bytes) => [bytes, Buffer.from('\n')])))
  .filter((bytes) => !/eyJ|earer |wrong /.test(bytes.toString('latin1')));
const sizes = fc.array(fc.oneof(fc.integer({ min: 20, max: 400 }), fc.integer({ min: 1, max: 65_536 })), {
  minLength: 1,
  maxLength: 6,
});

test('any output, however it comes and wherever it is rotated, reads back line by line in order', async (t) => {
  const dir = directory(t);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      output,
      sizes,
      fc.integer({ min: 65_536, max: 300_000 }),
      async (bytes, cuts, fileBytes) => {
        const file = path.join(dir, `${run++}.log`);
        store(file, bytes, cuts, fileBytes);
        const expected = bytes.toString().split('\n').slice(0, -1);
        const lines = await read(file);
        assert.deepEqual(
          lines.map(({ text }) => text),
          expected.slice(-lines.length),
        );
        const names = readdirSync(dir).filter((name) => name.startsWith(`${run - 1}.log`));
        assert.ok(names.length === files || lines.length === expected.length, 'lines are lost');
        for (const name of names) assert.ok(statSync(path.join(dir, name)).size <= fileBytes + 65_536, name);
        assert.ok(
          lines.every(({ atMs, stream }, index) => stream === 'out' && atMs >= (lines[index - 1]?.atMs ?? 0)),
        );
        const count = Math.ceil(lines.length / 3);
        assert.deepEqual(await read(file, { count }), lines.slice(-count));
        const middle = lines[count]?.atMs ?? 0;
        assert.deepEqual(
          await read(file, { count: 1_000, sinceMs: middle }),
          lines.filter(({ atMs }) => atMs >= middle),
        );
      },
    ),
    { numRuns: 40 },
  );
});

test('a question for many long lines is answered with as many of the newest as memory allows', async (t) => {
  const file = path.join(directory(t), 'unit.log');
  const text = 'x'.repeat(10_000);
  writeFileSync(file, `${new Date(startMs).toISOString()} o ${text}\n`.repeat(2_000));
  const lines = await read(file, { count: 2_000 });
  assert.ok(lines.length < 500 && lines.length > 300, `${lines.length} lines`);
});

test('zero bytes that a power cut left are no trouble, and what follows them reads as before', async (t) => {
  const file = path.join(directory(t), 'unit.log');
  const stamp = `${new Date(startMs).toISOString()} o`;
  writeFileSync(file, `${stamp} before\n${'\0'.repeat(300_000)}\n${stamp} after\n`);
  const texts = (await read(file)).map(({ text }) => text);
  assert.equal(texts[0], 'before');
  assert.equal(texts.at(-1), 'after');
  assert.deepEqual(
    (await read(file, { count: 1 })).map(({ text }) => text),
    ['after'],
  );
});

test('whoever wants many lines waits for others who do, and whoever wants few does not', async (t) => {
  const file = path.join(directory(t), 'unit.log');
  const text = Buffer.from('a line\n'.repeat(3_000));
  store(file, text, [65_536], 1_000_000);
  const turns = new Turns(2);
  let free = (): void => undefined;
  const hold = new Promise<void>((resolve) => {
    free = resolve;
  });
  const held = [turns.run(never, () => hold), turns.run(never, () => hold)];
  const ended: string[] = [];
  const many = [1, 2, 3].map(async (name) => {
    assert.equal((await read(file, { count: 2_000 }, turns)).length, 2_000);
    ended.push(`many ${name}`);
  });
  assert.equal((await read(file, { count: 100 }, turns)).length, 100);
  assert.deepEqual(ended, [], 'both turns are taken');
  free();
  await Promise.all([...held, ...many]);
  assert.equal(ended.length, 3);
});

test('a turn whose act fails is over all the same', async () => {
  const turns = new Turns(1);
  await assert.rejects(turns.run(never, () => Promise.reject(new Error('gone'))));
  assert.equal(await turns.run(never, () => Promise.resolve(7)), 7);
});
