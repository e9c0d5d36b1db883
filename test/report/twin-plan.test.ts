import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planTwin, type TwinMemory } from '../../agent/report/twin-plan.ts';

const pace = { intervalMs: 10_000, measuredMs: 300_000, fullMs: 600_000 };
const values = new Map([
  ['edgecore', 'ready'],
  ['cpu', '20'],
  ['time', 'T1'],
]);

function told(parts: Partial<TwinMemory> = {}): TwinMemory {
  return { told: values, toldMs: 0, fullToldMs: 0, owed: 0, notBeforeMs: 0, ...parts };
}

function but(name: string, value: string): ReadonlyMap<string, string> {
  return new Map([...values, [name, value]]);
}

test('nothing changed: nothing until the whole twin is due', () => {
  assert.deepEqual(planTwin(values, told(), pace, 100_000), { send: 'nothing', waitMs: 500_000 });
  assert.equal(planTwin(values, told(), pace, 600_000).send, 'full');
});

test('a change of state goes out at once, but not before the interval', () => {
  assert.deepEqual(planTwin(but('edgecore', 'failed'), told(), pace, 4_000), {
    send: 'nothing',
    waitMs: 6_000,
  });
  const plan = planTwin(but('edgecore', 'failed'), told(), pace, 10_000);
  assert.deepEqual(plan, { send: 'changes', values: new Map([['edgecore', 'failed']]) });
});

test('a measurement inside its band is no news, outside it waits for its turn', () => {
  assert.equal(planTwin(but('cpu', '39'), told(), pace, 400_000).send, 'nothing');
  assert.equal(planTwin(but('cpu', '40'), told(), pace, 299_999).send, 'nothing');
  assert.equal(planTwin(but('cpu', '40'), told(), pace, 300_000).send, 'changes');
  assert.equal(planTwin(but('cpu', '-'), told(), pace, 300_000).send, 'changes');
});

test('the time of the report is never news by itself, but goes with other news', () => {
  assert.equal(planTwin(but('time', 'T2'), told(), pace, 400_000).send, 'nothing');
  const both = new Map([...but('time', 'T2'), ['edgecore', 'failed']]);
  assert.deepEqual(planTwin(both, told(), pace, 400_000), {
    send: 'changes',
    values: new Map([
      ['edgecore', 'failed'],
      ['time', 'T2'],
    ]),
  });
});

test('an owed twin waits for its own time after the cloud was away', () => {
  const memory = told({ owed: 1, notBeforeMs: 50_000 });
  assert.deepEqual(planTwin(values, memory, pace, 20_000), { send: 'nothing', waitMs: 30_000 });
  assert.equal(planTwin(values, memory, pace, 50_000).send, 'full');
});

test('a plan never waits for nothing and never comes too often', () => {
  const time = fc.nat(2_000_000);
  fc.assert(
    fc.property(
      fc.constantFrom('ready', 'failed'),
      fc.nat(100),
      time,
      time,
      fc.nat(2),
      (state, cpu, at, now, owed) => {
        const memory = told({ toldMs: at, fullToldMs: at, owed });
        const plan = planTwin(new Map([...but('edgecore', state), ['cpu', `${cpu}`]]), memory, pace, now);
        if (plan.send === 'nothing') assert.ok(plan.waitMs > 0);
        else assert.ok(now - at >= pace.intervalMs);
      },
    ),
  );
});
