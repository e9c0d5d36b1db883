import assert from 'node:assert/strict';
import test from 'node:test';
import { createApi } from '../../agent/api/api.ts';
import type { LogMessage, WatchMessage } from '../../agent/api/wire.ts';
import type { ApiRequest, StreamOpening, StreamSink } from '../../agent/core/api-port.ts';
import { FakeVerbs } from '../fakes/fake-verbs.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

/** A reader that remembers. */
class Reader implements StreamSink {
  readonly messages: unknown[] = [];
  reason: string | undefined;

  send(message: unknown): void {
    if (this.reason === undefined) this.messages.push(message);
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  end(reason: string): void {
    this.reason = reason;
  }
}

function open(verbs: FakeVerbs, target: string, more: Partial<ApiRequest> = {}): StreamOpening {
  const signal = new AbortController().signal;
  const api = createApi({ verbs, log: new QuietLog() });
  return api.open({ method: 'GET', target, body: '', may: ['observe'], signal, ...more });
}

function started(verbs: FakeVerbs, target: string): { reader: Reader; stop: () => void } {
  const opening = open(verbs, target);
  assert.ok(opening.how === 'opened', JSON.stringify(opening));
  const reader = new Reader();
  return { reader, stop: opening.start(reader) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a watch begins with the snapshot and then sends each event and the status after it', async () => {
  const verbs = new FakeVerbs();
  const { reader, stop } = started(verbs, '/v1/watch');
  verbs.board.set('DockerReady', 'true', { reason: 'Ready', message: 'dockerd answers' });
  await turn();
  stop();
  const types = reader.messages.map((message) => (message as WatchMessage).type);
  assert.deepEqual(types, ['snapshot', 'event', 'status']);
  const last = reader.messages.at(-1) as Extract<WatchMessage, { type: 'status' }>;
  assert.equal(last.status.ready, true);
});

test('a burst of events is followed by one status that holds them all', async () => {
  const verbs = new FakeVerbs();
  const { reader, stop } = started(verbs, '/v1/watch');
  for (let number = 0; number < 50; number += 1) verbs.board.record('unit.ended', { number });
  await turn();
  stop();
  const statuses = reader.messages.filter((message) => (message as WatchMessage).type === 'status');
  assert.equal(statuses.length, 1);
  assert.equal(reader.messages.length, 52);
});

test('a watch that was stopped sends nothing more', async () => {
  const verbs = new FakeVerbs();
  const { reader, stop } = started(verbs, '/v1/watch');
  verbs.board.record('unit.ended', {});
  stop();
  await turn();
  verbs.board.record('unit.ended', {});
  await turn();
  assert.deepEqual(
    reader.messages.map((message) => (message as WatchMessage).type),
    ['snapshot', 'event'],
  );
});

test('a status that cannot be made ends the watch with the reason instead of the process', async () => {
  const verbs = new FakeVerbs();
  const { reader, stop } = started(verbs, '/v1/watch');
  verbs.failure = new Error('no status');
  verbs.board.record('unit.ended', {});
  await turn();
  stop();
  assert.equal(reader.reason, 'no status');
});

test('following a log sends the kept lines, then each new one, and stops reading when the reader has gone', async () => {
  const verbs = new FakeVerbs();
  verbs.print('dockerd', 'one');
  verbs.print('dockerd', 'two');
  const { reader, stop } = started(verbs, '/v1/logs/follow?unit=dockerd&n=1');
  await turn();
  verbs.print('dockerd', 'three');
  verbs.print('edgecore', 'not mine');
  await turn();
  assert.deepEqual(
    reader.messages.map((message) => (message as LogMessage).line.text),
    ['two', 'three'],
  );
  stop();
  await turn();
  assert.equal(verbs.followers(), 0);
});

test('following the log of an unknown unit ends with the reason', async () => {
  const { reader, stop } = started(new FakeVerbs(), '/v1/logs/follow?unit=nobody');
  await turn();
  stop();
  assert.match(reader.reason ?? '', /Cannot find unit "nobody"/);
});

const refused: readonly (readonly [string, string, Partial<ApiRequest>, number])[] = [
  ['an ordinary route', '/v1/status', {}, 405],
  ['an unknown route', '/v1/everything', {}, 404],
  ['a log name that climbs', '/v1/logs/follow?unit=..%2Fx', {}, 400],
  ['an unknown parameter', '/v1/watch?all=1', {}, 400],
  ['a way in that allows nothing', '/v1/watch', { may: [] }, 403],
  ['another method', '/v1/watch', { method: 'POST' }, 405],
];
for (const [name, target, more, status] of refused) {
  test(`a WebSocket to ${name} is refused with ${status}`, () => {
    const opening = open(new FakeVerbs(), target, more);
    // A shape of the query is checked when the stream is opened, not when it is started.
    assert.ok(opening.how === 'refused');
    assert.equal(opening.answer.status, status);
  });
}
