import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { AgentError } from '../../agent/core/agent-error.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { CloudHub } from '../standins/cloudhub/cloudhub.ts';
import { EdgeRig } from './edge-rig.ts';

const calm = new AbortController().signal;

/** What is left of a database in which something was written before. */
async function database(rig: EdgeRig): Promise<readonly string[]> {
  const files = await rig.everyFile();
  return files.filter(({ text }) => text === 'pods of before').map(({ file }) => file.replace(/^.*\//, ''));
}

test('a join under another name that the cloud refuses gives the database back, one that it takes does not', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge, supervisor } = await rig.startAgent();
  await edge.join(rig.order(), calm);
  await writeFile(rig.places.databaseFile, 'pods of before');
  const wrong = rig.cloud.token().replace(/[^.]+$/, 'c2lnbmF0dXJl');
  const refused = await edge.join(rig.order({ nodeName: 'board-2', token: wrong }), calm);
  assert.equal(refused.outcome?.reason, 'TokenRejected', JSON.stringify(refused));
  assert.deepEqual(await database(rig), ['edgecore.db']);
  await rig.until(supervisor, ({ phase }) => phase === 'ready');
  const taken = await edge.join(rig.order({ nodeName: 'board-2' }), calm);
  assert.equal(taken.joined, true, JSON.stringify(taken));
  assert.deepEqual(await database(rig), []);
});

test('what a power cut left of an earlier join is not given back when a later one is refused', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge } = await rig.startAgent();
  await edge.join(rig.order(), calm);
  await writeFile(rig.places.databaseFile, 'pods of now');
  await writeFile(`${rig.places.databaseFile}-journal.before`, 'pods of before');
  const wrong = rig.cloud.token().replace(/[^.]+$/, 'c2lnbmF0dXJl');
  const refused = await edge.join(rig.order({ nodeName: 'board-2', token: wrong }), calm);
  assert.equal(refused.outcome?.reason, 'TokenRejected', JSON.stringify(refused));
  assert.deepEqual(await database(rig), []);
});

/** A token that the cloud of a board refuses. */
function wrongToken(rig: EdgeRig): string {
  return rig.cloud.token().replace(/[^.]+$/, 'c2lnbmF0dXJl');
}

/** A board that is board-1 of its cluster, with pods. */
async function joined(rig: EdgeRig, files?: FileStore) {
  const agent = await rig.startAgent(files === undefined ? {} : { files });
  await agent.edge.join(rig.order(), calm);
  await writeFile(rig.places.databaseFile, 'pods of before');
  return agent;
}

test('a join is taken back when the cloud refuses it, although whoever ordered it has gone', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge, supervisor } = await joined(rig);
  const gone = new AbortController();
  const order = edge.join(rig.order({ nodeName: 'board-2', token: wrongToken(rig) }), gone.signal);
  order.catch(() => undefined);
  await rig.until(supervisor, ({ phase }) => phase === 'starting' && edge.status().node === 'board-2');
  gone.abort();
  await assert.rejects(order, { name: 'AbortError' });
  await rig.until(supervisor, ({ phase }) => phase === 'ready' && edge.status().node === 'board-1');
  assert.deepEqual(await database(rig), ['edgecore.db']);
});

test('a join is taken back when the cloud refuses it, although the agent was started anew', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge, supervisor } = await joined(rig);
  const order = edge.join(rig.order({ nodeName: 'board-2', token: wrongToken(rig) }), calm);
  order.catch(() => undefined);
  await rig.until(supervisor, ({ phase }) => phase === 'starting' && edge.status().node === 'board-2');
  await rig.stopAgent();
  const next = await rig.startAgent();
  const isBack = () => next.edge.status().node === 'board-1';
  await rig.until(next.supervisor, ({ phase }) => phase === 'ready' && isBack());
  assert.deepEqual(await database(rig), ['edgecore.db']);
});

test('a join that was cut short between database and record is taken back by the next agent', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  let cutShort: () => void = () => undefined;
  const isCut = new Promise<void>((resolve) => (cutShort = resolve));
  class DyingStore extends FileStore {
    override async replace(...given: Parameters<FileStore['replace']>): Promise<void> {
      if (!given[1].includes('"node": "board-2"')) return super.replace(...given);
      cutShort();
      await new Promise(() => undefined);
    }
  }
  const { edge } = await joined(rig, new DyingStore());
  void edge.join(rig.order({ nodeName: 'board-2' }), calm);
  await isCut;
  assert.deepEqual(await database(rig), ['edgecore.db.before']);
  await rig.stopAgent();
  const { supervisor, edge: after } = await rig.startAgent();
  await rig.until(supervisor, ({ phase }) => phase === 'ready');
  assert.deepEqual([after.status().node, await database(rig)], ['board-1', ['edgecore.db']]);
});

test('pods of one cluster do not come along into another one, but to another address of the same one', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const other = await CloudHub.start({ version: '1.22.1', address: '127.0.0.2' });
  try {
    const { edge } = await rig.startAgent();
    await edge.join(rig.order(), calm);
    await writeFile(rig.places.databaseFile, 'pods of before');
    const moved = await edge.join(
      rig.order({ cloudcore: `localhost:${rig.cloud.hubPort}`, token: undefined }),
      calm,
    );
    assert.equal(moved.joined, true, JSON.stringify(moved));
    assert.deepEqual(await database(rig), ['edgecore.db']);
    const elsewhere = {
      cloudcore: `127.0.0.2:${other.hubPort}`,
      certPort: other.enrolPort,
      token: other.token(),
    };
    const joined = await edge.join(elsewhere, calm);
    assert.equal(joined.joined, true, JSON.stringify(joined));
    assert.deepEqual(await database(rig), []);
  } finally {
    await other.stop();
  }
});

test('a board whose record cannot be read just now says so, and its edgecore starts once it can be', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { supervisor } = await joined(rig);
  await supervisor.shutdown({ totalMs: 10_000 });
  await rig.stopAgent();
  let isOut = true;
  class OutOfFiles extends FileStore {
    override async read(...given: Parameters<FileStore['read']>): Promise<string | undefined> {
      if (isOut && /node\.(copy\.)?json$/.test(given[0])) throw new AgentError('FILE_FAILED', 'EMFILE');
      return super.read(...given);
    }
  }
  const next = await rig.startAgent({ files: new OutOfFiles() });
  assert.equal(next.supervisor.status()[0]?.reason, 'RecordUnreadable');
  isOut = false;
  await rig.until(next.supervisor, ({ phase }) => phase === 'ready');
  assert.equal(next.edge.status().node, 'board-1');
});
