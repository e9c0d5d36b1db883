import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { underEither } from '../../agent/core/either-signal.ts';

const forever = async (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

for (const which of [0, 1]) {
  test(`signal ${which} ends the act with its reason`, async () => {
    const sources = [new AbortController(), new AbortController()] as const;
    const act = underEither(sources[0].signal, sources[1].signal, forever);
    sources[which]!.abort(new Error('enough'));
    await assert.rejects(act, { message: 'enough' });
  });

  test(`signal ${which} may have been aborted before`, async () => {
    const sources = [new AbortController(), new AbortController()] as const;
    sources[which]!.abort(new Error('long ago'));
    await assert.rejects(underEither(sources[0].signal, sources[1].signal, forever), { message: 'long ago' });
  });
}

test('nothing stays with signals that live on, whether the act succeeds or fails', async () => {
  const [one, other] = [new AbortController().signal, new AbortController().signal];
  assert.equal(await underEither(one, other, async () => Promise.resolve(7)), 7);
  await assert.rejects(
    underEither(one, other, async () => Promise.reject(new Error('no'))),
    { message: 'no' },
  );
  assert.deepEqual(
    [getEventListeners(one, 'abort').length, getEventListeners(other, 'abort').length],
    [0, 0],
  );
});
