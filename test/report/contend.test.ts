import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { EdgeNode } from '../../agent/core/edge-node.ts';
import type { FrameLink, FrameSession, FrameTarget } from '../../agent/core/link.ts';
import { SpeakerGate } from '../../agent/core/speaker-gate.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { CloudHubLink } from '../../agent/host/cloudhub-link.ts';
import { Bell } from '../../agent/report/bell.ts';
import { CloudChannels } from '../../agent/report/cloud-channels.ts';
import { CloudMemory } from '../../agent/report/cloud-memory.ts';
import { reporterOf } from '../fakes/cloud-world.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { FakeEdgeNodes } from '../fakes/fake-edge-nodes.ts';
import { patience } from '../fakes/patience.ts';
import { QuietLog } from '../fakes/quiet-log.ts';
import { CloudHub } from '../standins/cloudhub/cloudhub.ts';
import { conditionOf } from '../standins/cloudhub/store.ts';
import { CloudLink } from '../standins/edgecore/cloud-link.ts';
import { certificateRequest } from '../standins/edgecore/enrolment.ts';

/** Knows whether a real socket is still busy, so that a fast clock can wait for it; for a third of a second at most. */
class WatchedLink implements FrameLink {
  readonly #inner = new CloudHubLink();
  #busy = 0;

  async settle(): Promise<void> {
    const sinceMs = performance.now();
    for (let turn = 0; turn < 4 || (this.#busy > 0 && performance.now() - sinceMs < 2_000); turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async open(target: FrameTarget, signal: AbortSignal): Promise<FrameSession> {
    const session = await this.#during(this.#inner.open(target, signal));
    let asked = 0;
    const answered = (): void => {
      this.#busy -= asked;
      asked = 0;
    };
    session.onFrame(answered);
    void session.ended.then(answered);
    return {
      ended: session.ended,
      onFrame: (listener) => session.onFrame(listener),
      close: (graceMs) => this.#during(session.close(graceMs)),
      send: (text) => {
        if (text.includes('nodepatch')) {
          asked += 1;
          this.#busy += 1;
        }
        return session.send(text);
      },
    };
  }

  async #during<T>(act: Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await act;
    } finally {
      this.#busy -= 1;
    }
  }
}

/** Server's count of sessions by node id, from what it says itself. */
class SessionCount {
  readonly #now = new Map<string, number>();
  highest = 0;
  readonly total = new Map<string, number>();

  take(line: string): void {
    const [, id = '', word] = /^edge node (\S+) .*?(connected|disConnected)\b/.exec(line) ?? [];
    if (word === undefined) return;
    const count = (this.#now.get(id) ?? 0) + (word === 'connected' ? 1 : -1);
    this.#now.set(id, count);
    if (word === 'connected') this.total.set(id, (this.total.get(id) ?? 0) + 1);
    this.highest = Math.max(this.highest, count);
  }
}

async function world(t: TestContext, isEnforced: boolean) {
  const sessions = new SessionCount();
  const cloud = await CloudHub.start({ isEnforced, log: (line) => sessions.take(line) });
  t.after(() => cloud.stop());
  const directory = mkdtempSync(path.join(os.tmpdir(), 'contend-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const { requestDer, keyPem } = await certificateRequest('board-1', 22);
  const certPem = new X509Certificate(
    await cloud.authority.signRequest(requestDer, { fromMs: -1e6, untilMs: 1e8 }),
  ).toString();
  const certificates = { caPem: cloud.authority.caPem, certPem, keyPem };
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(directory, name), text);
    return path.join(directory, name);
  };
  const tls = {
    caFile: file('ca', certificates.caPem),
    certFile: file('crt', certPem),
    keyFile: file('key', keyPem),
  };
  const hub: EdgeNode['hub'] = { host: '127.0.0.1', port: cloud.hubPort, projectId: 'p', tls };
  cloud.store.put('node', { namespace: '', name: 'board-1' }, { status: { conditions: [] } });
  const edgecore = (): Promise<CloudLink> =>
    CloudLink.connect({
      server: `127.0.0.1:${cloud.hubPort}`,
      projectId: 'p',
      nodeId: 'board-1',
      certificates,
    });
  const said = (): string => {
    const node = cloud.store.get('node', { namespace: '', name: 'board-1' });
    const condition = conditionOf(node, 'EdgecoreReady');
    return `${String(condition?.['status'])} ${String(condition?.['reason'])}`;
  };

  const link = new WatchedLink();
  const clock = new FakeClock({ settle: () => link.settle(), wallMs: Date.now() });
  const [board, gate, bell, log] = [
    new HealthBoard(clock),
    new SpeakerGate(),
    new Bell(clock),
    new QuietLog(),
  ];
  const nodes = new FakeEdgeNodes({ hub });
  const memory = new CloudMemory(new FakeDisk(), '/state/cloud.json');
  let id = 0;
  const channels = new CloudChannels({
    link,
    http: { call: () => Promise.resolve({ status: 500, body: '' }) },
    gate,
    memory,
    events: undefined,
    clock,
    log,
    newId: () => `contend-${(id += 1)}`,
  });
  const reporter = reporterOf(board, { nodes, channels, memory, gate, clock, log, bell });
  board.set('EdgecoreReady', 'true', { reason: 'Ready', message: 'm' });
  gate.edgecoreAdopted();
  await reporter.start(new AbortController().signal);
  return { cloud, sessions, edgecore, said, clock, board, gate, memory, reporter };
}

const crash = { reason: 'CrashLoop', message: 'edgecore failed 5 times in a row' };

test('on the real wire the cause is at the Node within 15 s, and the cure too', async (t) => {
  const { edgecore, said, clock, board, gate, reporter, sessions } = await world(t, false);
  let living = await edgecore();
  await clock.advance(30_000);
  assert.equal(said(), 'True Ready');
  living.end();
  gate.edgecoreEnded();
  board.set('EdgecoreReady', 'false', crash);
  await clock.advance(15_000);
  assert.equal(said(), 'False CrashLoop');
  await gate.edgecoreStarts();
  living = await edgecore();
  board.set('EdgecoreReady', 'true', { reason: 'Ready', message: 'm' });
  await clock.advance(15_000);
  assert.equal(said(), 'True Ready');
  assert.equal(sessions.highest, 1);
  await reporter.stop();
  living.end();
});

test('where only the node itself is heard, both contend on the real wire and the server never sees two', async (t) => {
  const { cloud, edgecore, said, clock, board, gate, memory, reporter, sessions } = await world(t, true);
  let living = await edgecore();
  await clock.advance(60_000);
  let told = 0;
  for (let round = 0; round < 30; round += 1) {
    living.end();
    await cloud.store.until(() => (cloud.nodes().includes('board-1') ? undefined : true), patience());
    gate.edgecoreEnded();
    board.set('EdgecoreReady', 'false', { ...crash, reason: `CrashLoop${round}` });
    const passing = clock.advance(round % 3 === 0 ? 15_000 : 4_000 + round * 61);
    // Twice in three rounds edgecore comes back while the agent is in the middle of whatever it does.
    if (round % 3 === 0) await passing;
    else
      for (let turn = 0; turn < round * 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (said() === `False CrashLoop${round}`) told += 1;
    const starting = gate.edgecoreStarts();
    await passing;
    await starting;
    // The agent's socket is closed by now; the server learns of it without anybody throwing it out.
    await cloud.store.until(() => (cloud.nodes().includes('board-1') ? undefined : true), patience());
    living = await edgecore();
    const cut = living.closed().then(() => true);
    board.set('EdgecoreReady', 'true', { reason: 'Ready', message: 'm' });
    await clock.advance(20_000);
    assert.equal(
      await Promise.race([cut, Promise.resolve(false)]),
      false,
      `round ${round}: edgecore was thrown out`,
    );
    assert.equal(said(), 'undefined undefined', 'nothing is left that nobody could correct');
  }
  assert.equal(sessions.highest, 1);
  assert.equal(memory.facts.mode, 'takeover');
  assert.ok(told >= 10);
  t.diagnostic(
    `${sessions.total.get('board-1')} sessions as the node, never two at once; told in ${told} of 30 rounds`,
  );
  await reporter.stop();
  living.end();
});
