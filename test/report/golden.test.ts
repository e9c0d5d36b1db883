import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { FrameSession, LinkEnd } from '../../agent/core/link.ts';
import { contentOf, decodeMessage, encodeMessage } from '../../agent/report/cloud-message.ts';
import { CloudSession } from '../../agent/report/cloud-session.ts';
import { type NodePush, type PushResult, pushConditions } from '../../agent/report/node-push.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

/**
 * Frames of a real cloudcore before a real Kubernetes 1.25, one a line: answers to an inserted Node, a condition set, the
 * same condition deleted, a Node that does not exist, a time that is none, from 1.22 on a query for nothing, and a ping.
 */
const releases = ['v1.12.1', 'v1.22.2'] as const;

function framesOf(release: string): readonly string[] {
  return readFileSync(`test/data/cloudhub/${release}.jsonl`, 'utf8').trimEnd().split('\n');
}

/** What the agent makes of a frame that comes as the answer to its patch. */
async function judged(frame: string): Promise<PushResult> {
  let hear: (text: string) => void = () => undefined;
  const frames: FrameSession = {
    ended: new Promise<LinkEnd>(() => undefined),
    onFrame: (listener) => {
      hear = listener;
    },
    send: (text) => {
      const asked = decodeMessage(text);
      const parent = /"parent_msg_id":"[^"]*"/;
      if (asked?.route.operation === 'patch') {
        queueMicrotask(() => hear(frame.replace(parent, `"parent_msg_id":"${asked.header.msg_id}"`)));
      }
      return true;
    },
    close: () => Promise.resolve(),
  };
  const clock = new FakeClock();
  const session = new CloudSession({ frames, clock, newId: () => 'own-1' });
  const node = {
    node: 'gold-1',
    edgecoreVersion: '1.22.2',
    hub: undefined,
    broker: undefined,
    metaServer: undefined,
  };
  const push: NodePush = { node, conditions: {}, removed: [], wallMs: 0 };
  return pushConditions(session, push, new AbortController().signal);
}

for (const release of releases) {
  test(`every frame of cloudcore ${release} is read and written as it came`, () => {
    for (const frame of framesOf(release)) {
      const message = decodeMessage(frame);
      assert.ok(message, frame.slice(0, 200));
      assert.equal(message.route.operation, 'response');
      assert.deepEqual(JSON.parse(encodeMessage(message)), JSON.parse(frame));
    }
  });

  test(`answers of cloudcore ${release} to a patch are understood`, async () => {
    const patches = framesOf(release).filter((frame) => frame.includes('"resource":"default/nodepatch/'));
    const results = await Promise.all(patches.map(judged));
    assert.deepEqual(
      results.map(({ how }) => how),
      ['done', 'done', 'no-node', 'refused'],
    );
    const [, , missing, refused] = results;
    assert.ok(
      missing !== undefined && 'message' in missing && missing.message === 'nodes "nobody" not found',
    );
    assert.ok(refused !== undefined && 'message' in refused && refused.message.includes('nonsense'));
    const [set = '', gone = ''] = patches;
    assert.match(JSON.stringify(contentOf(decodeMessage(set) ?? assert.fail())), /"type":"Golden"/);
    assert.doesNotMatch(JSON.stringify(contentOf(decodeMessage(gone) ?? assert.fail())), /"conditions"/);
  });

  test(`a frame of cloudcore ${release} cut anywhere is no message`, () => {
    const [frame = ''] = framesOf(release);
    for (let cut = 0; cut < frame.length; cut += 7)
      assert.equal(decodeMessage(frame.slice(0, cut)), undefined);
  });
}
