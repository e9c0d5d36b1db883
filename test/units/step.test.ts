import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../../agent/core/unit-spec.ts';
import { dueAt, initialState, type UnitEvent, type UnitState } from '../../agent/units/state.ts';
import { step } from '../../agent/units/step.ts';
import type { Step } from '../../agent/units/transitions.ts';
import { fakePolicy } from '../fakes/fake-unit.ts';

const fault: Fault = { reason: 'Ended', message: 'It exited with status 1', isPermanent: false };
const always = { wanted: 'up', missing: undefined, failures: 0 } as const;
const ready: UnitState = { ...always, phase: 'ready', pid: 7, since: 0, silent: 0 };
const starting: UnitState = {
  ...always,
  phase: 'starting',
  pid: 7,
  since: 0,
  progressAt: 0,
  note: undefined,
};

const silent: UnitEvent = {
  kind: 'probed',
  pid: 7,
  health: { verdict: 'silent', reason: 'NotAnswering', message: 'no answer' },
};

function at(state: UnitState, event: UnitEvent, nowMs = 0): Step {
  return step(state, event, { nowMs, chance: 1 }, fakePolicy);
}

function through(state: UnitState, ...events: readonly UnitEvent[]): UnitState {
  return events.reduce((now, event) => at(now, event).next, state);
}

test('a unit that is asked for is prepared, then spawned, then starting with its pid', () => {
  const asked = at(initialState, { kind: 'start-requested' });
  assert.deepEqual(asked.effects, [{ kind: 'prepare' }]);
  const prepared = at(asked.next, { kind: 'prepared', fault: undefined });
  assert.deepEqual(prepared.effects, [{ kind: 'spawn' }]);
  assert.deepEqual(at(prepared.next, { kind: 'spawned', pid: 7 }, 3).next, {
    ...always,
    phase: 'starting',
    pid: 7,
    since: 3,
    progressAt: 3,
    note: undefined,
  });
});

test('a unit whose need is missing is held and begins as soon as the need is there', () => {
  const missing = { reason: 'WaitingForDockerd', message: 'dockerd is not ready', causedBy: 'DockerReady' };
  const held = through(initialState, { kind: 'needs-changed', missing }, { kind: 'start-requested' });
  assert.equal(held.phase, 'held');
  assert.equal(at(held, { kind: 'needs-changed', missing: undefined }).next.phase, 'preparing');
});

test('a running unit goes on when its need is lost', () => {
  const missing = { reason: 'WaitingForDockerd', message: 'dockerd is not ready', causedBy: 'DockerReady' };
  const { next, effects } = at(ready, { kind: 'needs-changed', missing });
  assert.deepEqual({ phase: next.phase, effects }, { phase: 'ready', effects: [] });
});

test('the first restart is immediate, later ones wait twice as long each time', () => {
  const first = at(ready, { kind: 'ended', pid: 7, fault });
  assert.equal(first.next.phase, 'preparing');
  const second = at({ ...starting, failures: 1 }, { kind: 'ended', pid: 7, fault }, 100).next;
  assert.deepEqual(second, { ...always, failures: 2, phase: 'waiting', retryAt: 1_100, fault });
  const third = at({ ...starting, failures: 2 }, { kind: 'ended', pid: 7, fault }, 100).next;
  assert.deepEqual(third, { ...always, failures: 3, phase: 'waiting', retryAt: 2_100, fault });
});

test('so many failures in a row are a crash loop that is retried at the ceiling', () => {
  const looped = at({ ...starting, failures: 3 }, { kind: 'ended', pid: 7, fault }, 100).next;
  assert.deepEqual(looped, { ...always, failures: 4, phase: 'failed', since: 100, retryAt: 60_100, fault });
  assert.equal(at(looped, { kind: 'due' }, 60_100).next.phase, 'preparing');
});

test('failures are forgotten after the stable time in ready, not before', () => {
  const shaky: UnitState = { ...ready, failures: 3 };
  assert.equal(dueAt(shaky, fakePolicy), 10_000);
  assert.equal(at(shaky, { kind: 'due' }, 9_999).next.failures, 3);
  assert.equal(at(shaky, { kind: 'due' }, 10_000).next.failures, 0);
  assert.equal(at(shaky, { kind: 'ended', pid: 7, fault }, 10_000).next.phase, 'preparing');
});

test('a permanent fault waits for its cause to change instead of spinning', () => {
  const permanent = { ...fault, reason: 'WrongArchitecture', isPermanent: true };
  const failed = at(
    { ...always, phase: 'preparing', since: 0 },
    { kind: 'prepared', fault: permanent },
    5,
  ).next;
  assert.deepEqual(failed, {
    ...always,
    failures: 1,
    phase: 'failed',
    since: 5,
    retryAt: 3_600_005,
    fault: permanent,
  });
  const again = at(failed, { kind: 'cause-changed' }).next;
  assert.deepEqual({ phase: again.phase, failures: again.failures }, { phase: 'preparing', failures: 0 });
});

test('a stop sends SIGTERM once, SIGKILL after the grace, and then says that it is stuck', () => {
  const stopping = at(ready, { kind: 'stop-requested' }, 100);
  assert.deepEqual(stopping.effects, [{ kind: 'signal', pid: 7, signal: 'SIGTERM' }]);
  assert.deepEqual(at(stopping.next, { kind: 'stop-requested' }, 200).effects, []);
  assert.deepEqual(at(stopping.next, { kind: 'due' }, 5_099).effects, []);
  const killed = at(stopping.next, { kind: 'due' }, 5_100);
  assert.deepEqual(killed.effects, [{ kind: 'signal', pid: 7, signal: 'SIGKILL' }]);
  const stuck = at(killed.next, { kind: 'due' }, 15_100);
  assert.equal(stuck.next.phase === 'stopping' && stuck.next.why.reason, 'Unkillable');
  assert.equal(dueAt(stuck.next, fakePolicy), undefined);
  assert.equal(at(stuck.next, { kind: 'ended', pid: 7, fault }).next.phase, 'down');
});

test('a shorter budget shortens a stop that is under way', () => {
  const stopping = at(ready, { kind: 'stop-requested' }).next;
  const hurried = at(stopping, { kind: 'stop-requested', graceMs: 50 }, 10).next;
  assert.equal(dueAt(hurried, fakePolicy), 50);
});

test('silence makes a unit unready, then hung; evidence comes before SIGTERM', () => {
  const health = { verdict: 'silent', reason: 'NotAnswering', message: 'no answer' } as const;
  const once = at(ready, { kind: 'probed', pid: 7, health }).next;
  assert.equal(once.phase, 'ready');
  const twice = at(once, { kind: 'probed', pid: 7, health }).next;
  assert.equal(twice.phase, 'unready');
  const thrice = at(twice, { kind: 'probed', pid: 7, health });
  assert.equal(thrice.effects[0]?.kind, 'gather-evidence');
  const told = at(thrice.next, { kind: 'evidence-gathered', pid: 7, isResumed: false });
  assert.deepEqual(told.effects, [{ kind: 'signal', pid: 7, signal: 'SIGTERM' }]);
  const after = at(told.next, { kind: 'ended', pid: 7, fault }).next;
  assert.deepEqual({ phase: after.phase, failures: after.failures }, { phase: 'preparing', failures: 1 });
});

test('evidence that takes too long does not keep a hung unit alive', () => {
  const hung: UnitState = { ...ready, silent: 2 };
  const health = { verdict: 'silent', reason: 'NotAnswering', message: 'no answer' } as const;
  const waiting = at(hung, { kind: 'probed', pid: 7, health }).next;
  const due = dueAt(waiting, fakePolicy) ?? 0;
  assert.deepEqual(at(waiting, { kind: 'due' }, due).effects, [
    { kind: 'signal', pid: 7, signal: 'SIGTERM' },
  ]);
});

test('a unit that a signal had stopped is resumed instead of killed', () => {
  const health = { verdict: 'silent', reason: 'NotAnswering', message: 'no answer' } as const;
  const waiting = at({ ...ready, silent: 2 }, { kind: 'probed', pid: 7, health }).next;
  const { next, effects } = at(waiting, { kind: 'evidence-gathered', pid: 7, isResumed: true });
  assert.deepEqual({ phase: next.phase, effects }, { phase: 'unready', effects: [] });
});

test('a unit that does not answer is looked at, and one that was woken gets its time once more', () => {
  const health = { verdict: 'silent', reason: 'NotAnswering', message: 'no answer' } as const;
  assert.deepEqual(at(ready, { kind: 'probed', pid: 7, health }).effects, []);
  const second = at({ ...ready, silent: 1 }, { kind: 'probed', pid: 7, health });
  assert.deepEqual(second.effects, [{ kind: 'wake', pid: 7 }]);
  const woken = at(second.next, { kind: 'resumed', pid: 7 }).next;
  assert.deepEqual(woken.phase === 'unready' && [woken.silent, woken.note.reason], [0, 'Resumed']);
  assert.deepEqual(at(starting, { kind: 'probed', pid: 7, health }).effects, [{ kind: 'wake', pid: 7 }]);
});

test('a unit that answers is never stopped, however unready it says it is', () => {
  const health = { verdict: 'unready', reason: 'RuntimeHung', message: 'containerd hangs' } as const;
  let state: UnitState = ready;
  for (let count = 0; count < 1_000; count += 1) {
    const result = at(state, { kind: 'probed', pid: 7, health }, count * 1_000);
    assert.deepEqual(result.effects, [{ kind: 'wake', pid: 7 }]);
    state = result.next;
  }
  assert.equal(state.phase, 'unready');
  assert.equal(dueAt(state, fakePolicy), undefined);
});

test('a start goes on as long as it prints something, but not for ever', () => {
  assert.equal(dueAt(starting, fakePolicy), 30_000);
  const moving = at(starting, { kind: 'progressed', pid: 7, atMs: 28_000 }).next;
  assert.equal(dueAt(moving, fakePolicy), 33_000);
  const endless = at(starting, { kind: 'progressed', pid: 7, atMs: 119_000 }).next;
  assert.equal(dueAt(endless, fakePolicy), 120_000);
  const late = at(starting, { kind: 'due' }, 30_000);
  assert.equal(late.next.phase === 'stopping' && late.next.fault?.reason, 'StartTimedOut');
});

test('a restart on request stops, starts again and forgets failures', () => {
  const stopping = at({ ...ready, failures: 3 }, { kind: 'restart-requested' });
  assert.deepEqual(stopping.effects, [{ kind: 'signal', pid: 7, signal: 'SIGTERM' }]);
  const again = at(stopping.next, { kind: 'ended', pid: 7, fault }).next;
  assert.deepEqual({ phase: again.phase, failures: again.failures }, { phase: 'preparing', failures: 0 });
});

test('a stop during preparation cancels it; a spawn under way is stopped as soon as it has a pid', () => {
  const preparing = at(initialState, { kind: 'start-requested' }).next;
  const cancelled = at(preparing, { kind: 'stop-requested' });
  assert.deepEqual(cancelled.effects, [{ kind: 'cancel-prepare' }]);
  assert.equal(at(cancelled.next, { kind: 'prepared', fault: undefined }).next.phase, 'down');
  const spawning = through(preparing, { kind: 'prepared', fault: undefined }, { kind: 'stop-requested' });
  assert.deepEqual(at(spawning, { kind: 'spawned', pid: 8 }).effects, [
    { kind: 'signal', pid: 8, signal: 'SIGTERM' },
  ]);
});

test('news about an earlier process changes nothing', () => {
  const events: readonly UnitEvent[] = [
    { kind: 'ended', pid: 6, fault },
    { kind: 'probed', pid: 6, health: { verdict: 'silent', reason: 'NotAnswering', message: '' } },
    { kind: 'progressed', pid: 6, atMs: 5 },
    { kind: 'evidence-gathered', pid: 6, isResumed: false },
  ];
  for (const event of events) assert.deepEqual(at(ready, event), { next: ready, effects: [] });
});

test('a start that is over for its own part is not timed out because something outside is missing', () => {
  const note = { reason: 'CloudRefused', message: 'the cloud is away' };
  const waiting = through(starting, {
    kind: 'probed',
    pid: 7,
    health: { verdict: 'unready', hasStarted: true, ...note },
  });
  assert.deepEqual([waiting.phase, dueAt(waiting, fakePolicy)], ['unready', undefined]);
  const still = through(starting, { kind: 'probed', pid: 7, health: { verdict: 'unready', ...note } });
  assert.equal(still.phase, 'starting');
});

test('a preparation that was cancelled begins anew where the unit is wanted again, and counts as no failure', () => {
  const cancelled = { kind: 'prepared', fault, isCancelled: true } as const;
  const again = through(initialState, { kind: 'start-requested' }, { kind: 'stop-requested' });
  const wanted = at(again, { kind: 'start-requested' }).next;
  const { next, effects } = at(wanted, cancelled);
  assert.deepEqual([next.phase, next.failures, effects], ['preparing', 0, [{ kind: 'prepare' }]]);
  assert.equal(at(again, cancelled).next.phase, 'down');
});

test('whoever asks for the end of a unit that hangs gets it at once, not a unit that goes on', () => {
  const hung = through(ready, ...Array.from({ length: 3 }, () => silent));
  assert.equal(hung.phase === 'stopping' && hung.stage, 'evidence');
  const term = { kind: 'signal', pid: 7, signal: 'SIGTERM' } as const;
  const asked = at(hung, { kind: 'restart-requested' });
  assert.deepEqual(asked.effects, [term]);
  const late = at(asked.next, { kind: 'evidence-gathered', pid: 7, isResumed: true });
  assert.deepEqual([late.next.phase, late.effects], ['stopping', []]);
});
