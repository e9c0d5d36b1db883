import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokerSession } from '../../agent/core/link.ts';
import { CloudMemory } from '../../agent/report/cloud-memory.ts';
import { Journal } from '../../agent/report/journal.ts';
import { Spool } from '../../agent/report/spool.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { edgeNode } from '../fakes/fake-edge-nodes.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

test('a disk that refuses costs the journal its memory, not its session', async () => {
  const [disk, clock, log] = [new FakeDisk(), new FakeClock(), new QuietLog()];
  const spool = new Spool({ storage: { files: disk, appends: disk }, path: '/state/journal.records' });
  await spool.start();
  const journal = new Journal({ spool, clock, log, topic: 't' });
  disk.fail('ENOSPC');
  for (const body of ['a', 'b', 'c']) await journal.take({ kind: 'event', body });
  const told: unknown[] = [];
  const session = {
    publish: async ({ payload }: { readonly payload: string }) => {
      told.push((JSON.parse(payload) as { readonly event: unknown }).event);
      await Promise.resolve();
    },
  } as unknown as BrokerSession;
  const stop = new AbortController();
  const running = journal.run(session, edgeNode(), stop.signal);
  await clock.advance(10_000);
  stop.abort();
  await running;
  assert.deepEqual(told, ['a', 'b', 'c']);
});

test('what is known about the cloud and cannot be read costs one report too many, and no start', async () => {
  const disk = new FakeDisk();
  await disk.replace('/state/cloud.json', '{}');
  disk.refuseReading('/state/cloud.json', 'EIO');
  const memory = new CloudMemory(disk, '/state/cloud.json');
  await memory.load();
  assert.equal(memory.facts.mode, 'unknown');
});

test('what an earlier agent told the cloud is not written over while it cannot be read, and known once it can be', async () => {
  const disk = new FakeDisk();
  const condition = (reason: string) => ({ status: 'False', reason, message: '', sinceMs: 0 }) as const;
  const earlier = new CloudMemory(disk, '/state/cloud.json');
  await earlier.load();
  earlier.isAbout('board-1 at cloud');
  await earlier.learn({
    mode: 'takeover',
    told: { DockerReady: condition('Old'), EdgecoreReady: condition('Old') },
  });
  for (const errno of ['EIO', 'EACCES', 'EMFILE']) {
    const before = disk.files.get('/state/cloud.json');
    disk.refuseReading('/state/cloud.json', errno);
    const memory = new CloudMemory(disk, '/state/cloud.json');
    await memory.load();
    memory.isAbout('board-1 at cloud');
    await memory.learn({ told: { EdgecoreReady: condition(errno) } });
    assert.equal(disk.files.get('/state/cloud.json'), before);
    disk.allowReading('/state/cloud.json');
    await memory.learn({ metaServer: 'off' });
    const { mode, told } = memory.facts;
    assert.deepEqual(
      { mode, told },
      { mode: 'takeover', told: { DockerReady: condition('Old'), EdgecoreReady: condition(errno) } },
    );
    const next = new CloudMemory(disk, '/state/cloud.json');
    await next.load();
    assert.deepEqual(next.facts, memory.facts);
  }
});
