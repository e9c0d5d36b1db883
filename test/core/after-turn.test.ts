import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AfterTurn } from '../../agent/core/after-turn.ts';
import { nextTurn } from '../../agent/host/next-turn.ts';

test('what waits comes after all settled promises, in order, with what comes up on the way', async () => {
  const said: string[] = [];
  const afterTurn = new AfterTurn(nextTurn);
  afterTurn.push(() => {
    said.push('first');
    afterTurn.push(() => said.push('third'));
  });
  afterTurn.push(() => said.push('second'));
  for (let settled = 0; settled < 20; settled++) await Promise.resolve();
  assert.equal(said.length, 0);
  await nextTurn();
  assert.equal(said.join(' '), 'first second third');
  afterTurn.push(() => said.push('fourth'));
  await nextTurn();
  assert.equal(said.join(' '), 'first second third fourth');
});

test('an owner that ends does at once what waits, and nothing twice', async () => {
  let done = 0;
  const afterTurn = new AfterTurn(nextTurn);
  afterTurn.push(() => void (done += 1));
  afterTurn.flush();
  assert.equal(done, 1);
  await nextTurn();
  assert.equal(done, 1);
});

test('an act that throws keeps none of the others from being done, and is heard of', () => {
  const said: string[] = [];
  const afterTurn = new AfterTurn(() => new Promise(() => undefined));
  for (const word of ['first', 'second']) {
    afterTurn.push(() => {
      throw new Error(word);
    });
    afterTurn.push(() => said.push(word));
  }
  assert.throws(() => afterTurn.flush(), /first/);
  assert.equal(said.join(' '), 'first second');
});
