import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Waiting } from '../../agent/report/backlog.ts';
import { Spool } from '../../agent/report/spool.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';

const path = '/state/spool.records';

async function spoolOn(disk: FakeDisk, limits = { items: 1_000, bytes: 262_144 }): Promise<Spool> {
  const spool = new Spool({ storage: { files: disk, appends: disk }, path, limits });
  await spool.start();
  return spool;
}

/** Takes everything out in order, in words. */
async function drain(spool: Spool): Promise<string[]> {
  const words: string[] = [];
  for (let item = spool.first(); item !== undefined; item = spool.first()) {
    words.push(inWords(item));
    await spool.done(item.sequence);
  }
  return words;
}

function inWords(item: Waiting): string {
  switch (item.kind) {
    case 'loss':
      return `lost ${item.count}`;
    case 'state':
      return `${item.key}=${JSON.stringify(item.body)}`;
    case 'event':
      return JSON.stringify(item.body);
  }
}

test('events come out as they went in, of a state only the newest, at its own place', async () => {
  const spool = await spoolOn(new FakeDisk());
  await spool.put({ kind: 'state', key: 'twin', body: 1 });
  await spool.put({ kind: 'event', body: 'a' });
  await spool.put({ kind: 'state', key: 'twin', body: 2 });
  await spool.put({ kind: 'event', body: 'b' });
  assert.deepEqual(await drain(spool), ['"a"', 'twin=2', '"b"']);
});

test('what waits is found again after a restart, and numbers are never used twice', async () => {
  const disk = new FakeDisk();
  const first = await spoolOn(disk);
  await first.put({ kind: 'event', body: 'a' });
  await first.put({ kind: 'event', body: 'b' });
  await first.done(1);
  const second = await spoolOn(disk);
  assert.equal(await second.put({ kind: 'event', body: 'c' }), 3);
  assert.deepEqual(await drain(second), ['"b"', '"c"']);
  assert.equal(await (await spoolOn(disk)).put({ kind: 'event', body: 'd' }), 4);
});

test('a full spool gives up the oldest events and says how many, in their place', async () => {
  const disk = new FakeDisk();
  const limits = { items: 3, bytes: 10_000 };
  const spool = await spoolOn(disk, limits);
  await spool.put({ kind: 'state', key: 'twin', body: 'x' });
  for (let index = 1; index <= 6; index += 1) await spool.put({ kind: 'event', body: index });
  const words = ['twin="x"', 'lost 4', '5', '6'];
  assert.deepEqual(await drain(await spoolOn(disk, limits)), words);
});

test('a loss that is being told does not swallow the next one', async () => {
  const disk = new FakeDisk();
  const limits = { items: 2, bytes: 10_000 };
  const spool = await spoolOn(disk, limits);
  for (let index = 1; index <= 4; index += 1) await spool.put({ kind: 'event', body: index });
  const told = spool.first();
  assert.deepEqual(told, { kind: 'loss', sequence: 2, count: 2 });
  await spool.put({ kind: 'event', body: 5 });
  await spool.put({ kind: 'event', body: 6 });
  await spool.done(told?.sequence ?? 0);
  assert.deepEqual(await drain(await spoolOn(disk, limits)), ['lost 2', '5', '6']);
});

test('news that would fill the spool alone is refused', async () => {
  const spool = await spoolOn(new FakeDisk(), { items: 10, bytes: 1_000 });
  await assert.rejects(spool.put({ kind: 'event', body: 'x'.repeat(300) }), { code: 'TOO_LARGE' });
  assert.equal(spool.size, 0);
});

test('a full disk rejects the put, keeps the news in memory, and nothing is lost when it has room again', async () => {
  const disk = new FakeDisk();
  const spool = await spoolOn(disk);
  disk.fail('ENOSPC');
  await assert.rejects(spool.put({ kind: 'event', body: 'a' }), { code: 'FILE_FAILED' });
  disk.fail(undefined);
  await spool.put({ kind: 'event', body: 'b' });
  assert.deepEqual(await drain(spool), ['"a"', '"b"']);
});

test('news on its way to the disk is shown to nobody and takes nothing away', async () => {
  const disk = new FakeDisk();
  let write: () => Promise<void> = () => Promise.resolve();
  const appends = {
    append: async (file: string, text: string): Promise<void> => {
      await write();
      await disk.append(file, text);
    },
  };
  const spool = new Spool({ storage: { files: disk, appends }, path });
  await spool.start();
  await spool.put({ kind: 'state', key: 'twin', body: 1 });
  await spool.put({ kind: 'event', body: 'a' });
  write = () => new Promise(() => undefined);
  void spool.put({ kind: 'state', key: 'twin', body: 2 });
  void spool.put({ kind: 'event', body: 'b' });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(spool.waiting(9).map(inWords), ['twin=1', '"a"']);
  assert.deepEqual(await drain(await spoolOn(disk)), ['twin=1', '"a"']);
});

test('what a full disk refused is on disk with the first change after it has room again, and nothing older comes back', async () => {
  const disk = new FakeDisk();
  const spool = await spoolOn(disk);
  await spool.put({ kind: 'state', key: 'twin', body: 'old' });
  disk.fail('ENOSPC');
  await assert.rejects(spool.put({ kind: 'state', key: 'twin', body: 'new' }), { code: 'FILE_FAILED' });
  await assert.rejects(spool.put({ kind: 'event', body: 'a' }), { code: 'FILE_FAILED' });
  disk.fail(undefined);
  await spool.put({ kind: 'event', body: 'b' });
  assert.deepEqual(await drain(await spoolOn(disk)), ['twin="new"', '"a"', '"b"']);
});

test('a full disk does not keep delivered news from being done with', async () => {
  const disk = new FakeDisk();
  const spool = await spoolOn(disk);
  await spool.put({ kind: 'event', body: 'a' });
  await spool.put({ kind: 'event', body: 'b' });
  disk.fail('ENOSPC');
  assert.deepEqual(await drain(spool), ['"a"', '"b"']);
  disk.fail(undefined);
  await spool.put({ kind: 'event', body: 'c' });
  assert.deepEqual(await drain(await spoolOn(disk)), ['"c"']);
});

test('what was given up does not come back, and its numbers are not used again', async () => {
  const disk = new FakeDisk();
  const spool = await spoolOn(disk, { items: 2, bytes: 10_000 });
  for (let index = 1; index <= 4; index += 1) await spool.put({ kind: 'event', body: index });
  await spool.put({ kind: 'state', key: 'twin', body: 1 });
  await spool.clear();
  assert.equal(spool.size, 0);
  const next = await spoolOn(disk);
  assert.equal(next.size, 0);
  assert.equal(await next.put({ kind: 'event', body: 'a' }), 6);
});

test('the file stays small however much has gone through', async () => {
  const disk = new FakeDisk();
  const spool = await spoolOn(disk);
  const body = 'größer'.repeat(50);
  for (let index = 0; index < 500; index += 1) await spool.done(await spool.put({ kind: 'event', body }));
  assert.ok((disk.files.get(path)?.length ?? 0) < 20_000);
  assert.ok(disk.writtenBytes < 4 * 500 * 2_000, `${disk.writtenBytes} bytes written`);
});

test('memory and disk never disagree, however many puts are under way at once', async () => {
  const step = fc.constantFrom('put', 'put', 'put', 'state', 'take', 'wait');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
      const disk = new FakeDisk();
      const limits = { items: 5, bytes: 8_000 };
      const spool = await spoolOn(disk, limits);
      for (const [index, word] of steps.entries()) {
        const body = `${index}`.padEnd(900, '.');
        if (word === 'put') void spool.put({ kind: 'event', body });
        else if (word === 'state') void spool.put({ kind: 'state', key: 'twin', body });
        else if (word === 'take') void spool.done(spool.first()?.sequence ?? 0);
        else await new Promise((resolve) => setImmediate(resolve));
      }
      await spool.stop();
      // Losses that were kept apart because one of them was being told stand as one after a restart.
      const total = (words: readonly string[]): (string | number)[] => {
        const lost = words.map((word) => Number(/^lost (\d+)$/.exec(word)?.[1] ?? 0));
        return [
          lost.reduce((sum, count) => sum + count, 0),
          ...words.filter((word) => !word.startsWith('lost')),
        ];
      };
      const again = await drain(await spoolOn(disk, limits));
      assert.deepEqual(total(again), total(await drain(spool)));
    }),
    { numRuns: 200 },
  );
});

type Act = { readonly act: 'event' | 'state' | 'take' | 'crash' | 'tear' | 'full'; readonly n: number };

test('no order of putting, taking and crashing loses, doubles or reorders anything', async () => {
  const act = fc.record(
    {
      act: fc.constantFrom<Act['act']>('event', 'event', 'state', 'take', 'crash', 'tear', 'full'),
      n: fc.nat(200),
    },
    { noNullPrototype: true },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 80 }), async (acts) => {
      await play(acts);
    }),
    { numRuns: 300 },
  );
});

/** Plays the acts against a plain list as the model. */
async function play(acts: readonly Act[]): Promise<void> {
  const disk = new FakeDisk();
  let spool = await spoolOn(disk);
  let model: string[] = [];
  const restart = async (): Promise<void> => {
    spool = await spoolOn(disk);
  };
  for (const { act, n } of acts) {
    if (act === 'crash') await restart();
    else if (act === 'event') {
      await spool.put({ kind: 'event', body: n });
      model.push(`${n}`);
    } else if (act === 'state') {
      const key = `k${n % 3}`;
      await spool.put({ kind: 'state', key, body: n });
      model = [...model.filter((word) => !word.startsWith(`${key}=`)), `${key}=${n}`];
    } else if (act === 'take') {
      const item = spool.first();
      assert.equal(item && inWords(item), model[0]);
      if (item !== undefined) await spool.done(item.sequence);
      model.shift();
    } else if (act === 'full') {
      // The next change brings to disk what was refused, so it is safe from then on.
      disk.fail('ENOSPC');
      await assert.rejects(spool.put({ kind: 'event', body: n }));
      model.push(`${n}`);
      disk.fail(undefined);
      await spool.put({ kind: 'state', key: 'k0', body: n });
      model = [...model.filter((word) => !word.startsWith('k0=')), `k0=${n}`];
    } else {
      disk.tear(n % 20);
      void spool.put({ kind: 'event', body: 'never acknowledged' });
      await new Promise((resolve) => setImmediate(resolve));
      await restart();
    }
  }
  assert.deepEqual(await drain(spool), model);
}

test('news that cannot be read just now is not written over, and its numbers are given to nothing else', async () => {
  const disk = new FakeDisk();
  const first = await spoolOn(disk);
  await first.put({ kind: 'event', body: 'a' });
  await first.put({ kind: 'event', body: 'b' });
  for (const errno of ['EIO', 'EMFILE', 'EACCES', 'ENOMEM']) {
    disk.refuseReading(path, errno);
    const spool = new Spool({ storage: { files: disk, appends: disk }, path });
    await assert.rejects(spool.start(), { code: 'FILE_FAILED' });
    await assert.rejects(spool.put({ kind: 'event', body: errno }), { code: 'FILE_FAILED' });
    await spool.clear().catch(() => undefined);
    assert.equal(spool.first(), undefined);
    disk.allowReading(path);
  }
  const spool = new Spool({ storage: { files: disk, appends: disk }, path });
  disk.refuseReading(path, 'EIO');
  await assert.rejects(spool.start());
  disk.allowReading(path);
  assert.equal(await spool.put({ kind: 'event', body: 'c' }), 3);
  assert.deepEqual(await drain(spool), ['"a"', '"b"', '"c"']);
});
