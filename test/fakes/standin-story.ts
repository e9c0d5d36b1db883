import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { macOf, signedText } from '../../agent/report/command-desk.ts';
import { twinProperties } from '../../agent/report/twin-properties.ts';
import { conditionOf } from '../standins/cloudhub/store.ts';
import { patience } from './patience.ts';
import { standinCluster } from './standin-cluster.ts';

type Cluster = Awaited<ReturnType<typeof standinCluster>>;

/**
 * The whole story with one release: the twin reaches the Device object, so many questions come through, and the Node
 * says why edgecore is gone, and that it is back.
 */
export async function standinStory(t: TestContext, version: string, times: number): Promise<void> {
  const board = await standinCluster(t, version);
  const { cloud, start, gate, become, reporting, run } = board;
  let edgecore = start();
  t.after(() => edgecore.kill('SIGKILL'));
  const node = { namespace: '', name: 'n1' };
  await cloud.store.until(() => cloud.store.get('node', node), patience());
  gate.edgecoreAdopted();
  become('ready');
  cloud.devices.add({
    namespace: 'factory',
    name: 'n1-agent',
    nodeName: 'n1',
    properties: twinProperties.map(({ name }) => name),
  });
  await reporting.startLedger();
  await reporting.start(new AbortController().signal);
  t.after(() => reporting.stop());
  const device = () => cloud.devices.list()[0];
  await cloud.store.until(() => (device()?.reported['edgecore'] === 'ready' ? true : undefined), patience());
  assert.equal(device()?.reported['agent'], '1.2.3');

  await questions(t, run, times);
  await commands(board);

  const says = (status: string) => () =>
    conditionOf(cloud.store.get('node', node), 'EdgecoreReady')?.['status'] === status ? true : undefined;
  await cloud.store.until(says('True'), patience());
  edgecore.kill('SIGKILL');
  await once(edgecore, 'close');
  gate.edgecoreEnded();
  become('failed');
  const failedMs = performance.now();
  await cloud.store.until(says('False'), patience());
  await gate.edgecoreStarts();
  edgecore = start();
  await cloud.store.until(() => (cloud.nodes().includes('n1') ? true : undefined), patience());
  become('ready');
  const mendedMs = performance.now();
  await cloud.store.until(says('True'), patience());
  const [told, mended] = [mendedMs - failedMs, performance.now() - mendedMs].map(Math.round);
  t.diagnostic(
    `Node says False within ${told} ms of the crash (restart included), True ${mended} ms after the cure`,
  );
}

/** Questions one after the other through the router, then hostile ones, each written as nobody's program would write it. */
async function questions(t: TestContext, run: Cluster['run'], times: number): Promise<void> {
  // The stand-ins are faster than a real router; the board answers 200 questions a second.
  const ask = async (...question: string[]): ReturnType<typeof run> => {
    for (;;) {
      const ran = await run('ask', 'n1', ...question);
      const { error } = JSON.parse(ran.out || '{}') as { error?: { code: string } };
      if (error?.code !== 'BUSY') return ran;
      await sleep(100);
    }
  };
  const began = performance.now();
  for (let answered = 0; answered < times; answered += 1) {
    const { code, out, err } = await ask('status');
    assert.equal(code, 0, out + err);
    assert.equal((JSON.parse(out) as { units?: unknown[] }).units?.length, 1);
  }
  t.diagnostic(`${times} × cloud ask n1 status in ${Math.round(performance.now() - began)} ms`);
  const hostile = [
    'nothing',
    'logs',
    'logs/edgecore/..',
    'logs/..%2f..%2fetc%2fpasswd',
    'logs/%00',
    'logs/' + 'x'.repeat(60_000),
    `${'a/'.repeat(900)}`,
    'ledger?limit=9e9',
    'ledger?limit[]=1',
    'ledger?after=-1',
    'units?limit=0',
    '__proto__',
  ];
  for (const question of hostile) {
    const { code, out, err } = await ask(question);
    assert.equal(code, 1, `${question.slice(0, 40)} was answered: ${out.slice(0, 100)}${err}`);
    assert.ok((JSON.parse(out) as { error?: unknown }).error, question.slice(0, 40));
  }
  assert.equal((await ask()).code, 0, 'the board answers as before');
  const stranger = await run('ask', 'n2');
  assert.deepEqual([stranger.code, /no session with the cloud/.test(stranger.err)], [3, true]);
}

/** Commands over the same router: only the signed, new and allowed one has an effect, and that once. */
async function commands({ run, router, restarted, keyFile }: Cluster): Promise<void> {
  const key = readFileSync(keyFile, 'utf8');
  const post = async (command: string): Promise<void> => {
    const response = await fetch(`${router.url}/n1/default/agent-command`, { method: 'POST', body: command });
    assert.equal(await response.text(), 'message delivered');
  };
  const signed = (facts: Partial<Parameters<typeof signedText>[1]>, by = key): string => {
    const plain = {
      id: randomUUID(),
      verb: 'restart-unit',
      argument: '{"unit":"dockerd"}',
      nonce: randomUUID(),
    };
    const command = { ...plain, time: Date.now(), ...facts };
    return JSON.stringify({ ...command, mac: macOf(by, signedText('n1', command)) });
  };
  const replayed = signed({});
  for (const command of [
    signed({}, 'x'.repeat(40)),
    signed({ time: Date.now() - 600_000 }),
    signed({ verb: 'shutdown' }),
    signed({ argument: '[' }),
    signed({ argument: '{"unit":7}' }),
    '{'.repeat(5_000),
    'x'.repeat(100_000),
    replayed,
    replayed,
  ]) {
    await post(command);
  }
  const { code, out } = await run('tell', 'n1', 'restart-unit', '{"unit":"edgecore"}', '--key-file', keyFile);
  assert.deepEqual([code, out.startsWith('passed on to n1 as ')], [0, true]);
  for (const until = patience(); restarted.at(-1) !== 'edgecore'; await sleep(20)) until.throwIfAborted();
  assert.deepEqual(restarted, ['dockerd', 'edgecore']);
}
