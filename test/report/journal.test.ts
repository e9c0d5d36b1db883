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
