import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVerbs, type VerbParts } from '../../agent/verbs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

test('a crowd that wants to look at the machine looks two at a time, and whoever has gone does not look at all', async () => {
  const looking: (() => void)[] = [];
  let looks = 0;
  const plan = (): Promise<unknown> => {
    looks += 1;
    return new Promise((resolve) => looking.push(() => resolve({})));
  };
  const verbs = createVerbs({ clock: new FakeClock(), prep: { plan } } as unknown as VerbParts);
  const gone = new AbortController();
  const { signal } = new AbortController();
  const plans = Array.from({ length: 10 }, (_, index) => verbs.plan(index === 5 ? gone.signal : signal));
  const ends = Promise.allSettled(plans);
  gone.abort();
  for (let ended = 0; ended < 9; ended += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(looking.length <= 2, `${looking.length} at a time`);
    looking.shift()?.();
  }
  assert.deepEqual(
    (await ends).map(({ status }) => status === 'fulfilled'),
    plans.map((_, index) => index !== 5),
  );
  assert.equal(looks, 9);
});
