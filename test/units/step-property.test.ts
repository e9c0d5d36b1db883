import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Fault, Health } from '../../agent/core/unit-spec.ts';
import { dueAt, initialState, pidOf, type UnitEvent, type UnitState } from '../../agent/units/state.ts';
import { step } from '../../agent/units/step.ts';
import { fakePolicy } from '../fakes/fake-unit.ts';

/** With aid, so that an unready unit has an alarm too. */
const policy = { ...fakePolicy, aidMs: 20_000 };

const faults: fc.Arbitrary<Fault> = fc.record(
  { reason: fc.constant('Ended'), message: fc.constant('x'), isPermanent: fc.boolean() },
  { noNullPrototype: true },
);
const healths: fc.Arbitrary<Health> = fc.constantFrom<Health>(
  { verdict: 'ready' },
  { verdict: 'alive' },
  { verdict: 'unready', reason: 'RuntimeHung', message: 'x' },
  { verdict: 'silent', reason: 'NotAnswering', message: 'x' },
);
const missing = fc.constantFrom(undefined, { reason: 'WaitingForA', message: 'x', causedBy: 'AReady' });

/** What the world may do next; the pid is filled in from the state, so most events concern the living process. */
type Move =
  | Exclude<UnitEvent, { readonly pid: number }>
  | { readonly kind: 'probed'; readonly health: Health }
  | { readonly kind: 'ended'; readonly fault: Fault }
  | { readonly kind: 'spawned' | 'adopted' | 'resumed' }
  | { readonly kind: 'evidence-gathered'; readonly isResumed: boolean }
  | { readonly kind: 'pass'; readonly ms: number };

const moves: fc.Arbitrary<Move> = fc.oneof(
  fc.constantFrom<Move>(
    { kind: 'start-requested' },
    { kind: 'stop-requested' },
    { kind: 'restart-requested' },
    { kind: 'cause-changed' },
    { kind: 'due' },
    { kind: 'spawned' },
    { kind: 'adopted' },
    { kind: 'resumed' },
  ),
  missing.map((value): Move => ({ kind: 'needs-changed', missing: value })),
  fc
    .tuple(fc.option(faults, { nil: undefined }), fc.boolean())
    .map(([fault, isCancelled]): Move => ({ kind: 'prepared', fault, isCancelled })),
  faults.map((fault): Move => ({ kind: 'spawn-refused', fault })),
  healths.map((health): Move => ({ kind: 'probed', health })),
  faults.map((fault): Move => ({ kind: 'ended', fault })),
  fc.boolean().map((isResumed): Move => ({ kind: 'evidence-gathered', isResumed })),
  fc.integer({ min: 1, max: 120_000 }).map((ms): Move => ({ kind: 'pass', ms })),
);

/** Follows one run and checks after every transition what must always be true. */
class Watcher {
  state: UnitState = initialState;
  nowMs = 0;
  #nextPid = 10;
  readonly #termAt = new Map<number, number>();
  readonly #killed = new Set<number>();
  #isPreparing = false;
  #isSpawning = false;

  move(move: Move): void {
    if (move.kind === 'pass') {
      this.nowMs += move.ms;
      this.send({ kind: 'due' });
      return;
    }
    const event = this.#event(move);
    if (event !== undefined) this.send(event);
  }

  /** A world that is possible: what was not asked for is not reported. */
  #event(move: Exclude<Move, { kind: 'pass' }>): UnitEvent | undefined {
    const pid = pidOf(this.state) ?? 1;
    if (move.kind === 'prepared') return this.#isPreparing ? move : undefined;
    if (move.kind === 'spawn-refused') return this.#isSpawning ? move : undefined;
    if (move.kind === 'spawned' || move.kind === 'adopted') {
      const isPossible = move.kind === 'spawned' ? this.#isSpawning : this.state === initialState;
      this.#nextPid += 1;
      return isPossible ? { kind: move.kind, pid: this.#nextPid } : undefined;
    }
    const isAboutProcess = ['probed', 'ended', 'evidence-gathered', 'resumed'].includes(move.kind);
    return (isAboutProcess ? { ...move, pid } : move) as UnitEvent;
  }

  send(event: UnitEvent): void {
    const before = this.state;
    const { next, effects } = step(before, event, { nowMs: this.nowMs, chance: 0.5 }, policy);
    if (event.kind === 'prepared') this.#isPreparing = false;
    if (event.kind === 'spawned' || event.kind === 'spawn-refused') this.#isSpawning = false;
    for (const effect of effects) {
      if (effect.kind === 'prepare') {
        assert.ok(!this.#isPreparing && !this.#isSpawning, 'prepared twice at the same time');
        assert.equal(pidOf(next), undefined, 'prepared beside a living process');
        this.#isPreparing = true;
      }
      if (effect.kind === 'spawn') {
        assert.equal(next.wanted, 'up', 'spawned although nobody wants it');
        assert.equal(pidOf(next), undefined, 'spawned beside a living process');
        this.#isSpawning = true;
      }
      if (effect.kind === 'signal') this.#checkSignal(effect.pid, effect.signal, before);
    }
    assert.ok(Number.isInteger(next.failures) && next.failures >= 0);
    if (next.phase === 'ready') assert.ok(next.pid >= 10, 'ready without a pid');
    if (next.phase === 'down') assert.equal(next.wanted, 'down');
    this.state = next;
  }

  #checkSignal(pid: number, signal: string, before: UnitState): void {
    assert.equal(pid, pidOf(this.state) ?? pidOf(before) ?? pid);
    if (signal === 'SIGTERM') {
      assert.ok(!this.#termAt.has(pid), 'SIGTERM twice');
      this.#termAt.set(pid, this.nowMs);
      return;
    }
    assert.ok(this.#termAt.has(pid), 'SIGKILL without SIGTERM');
    assert.ok(!this.#killed.has(pid), 'SIGKILL twice');
    this.#killed.add(pid);
  }
}

test('no order of events spawns twice, signals twice or reaches ready without a pid', () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 120 }), (sequence) => {
      const watcher = new Watcher();
      for (const move of sequence) watcher.move(move);
    }),
    { numRuns: 3_000 },
  );
});

test('whatever happened before, a unit that is wanted and works is ready in the end', () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 60 }), (sequence) => {
      const watcher = new Watcher();
      for (const move of sequence) watcher.move(move);
      watcher.move({ kind: 'needs-changed', missing: undefined });
      watcher.move({ kind: 'start-requested' });
      for (let round = 0; round < 20 && watcher.state.phase !== 'ready'; round += 1) {
        if (watcher.state.phase === 'stopping')
          watcher.move({
            kind: 'ended',
            fault: { reason: 'Ended', message: 'x', isPermanent: false },
          });
        watcher.move({ kind: 'prepared', fault: undefined });
        watcher.move({ kind: 'spawned' });
        watcher.move({ kind: 'probed', health: { verdict: 'ready' } });
        watcher.move({ kind: 'pass', ms: 3_600_000 });
      }
      assert.equal(watcher.state.phase, 'ready');
    }),
    { numRuns: 1_000 },
  );
});

test('whatever happened before, a unit that nobody wants is down in the end', () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 60 }), (sequence) => {
      const watcher = new Watcher();
      for (const move of sequence) watcher.move(move);
      watcher.move({ kind: 'stop-requested' });
      watcher.move({ kind: 'prepared', fault: undefined });
      watcher.move({ kind: 'spawned' });
      watcher.move({ kind: 'ended', fault: { reason: 'Ended', message: 'x', isPermanent: false } });
      assert.deepEqual(
        { phase: watcher.state.phase, failures: watcher.state.failures },
        {
          phase: 'down',
          failures: 0,
        },
      );
    }),
    { numRuns: 1_000 },
  );
});

test('the alarm always lies ahead after it rang, so time alone never spins', () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 80 }), (sequence) => {
      const watcher = new Watcher();
      for (const move of sequence) {
        watcher.move(move);
        for (let rings = 0; rings < 4; rings += 1) {
          const due = dueAt(watcher.state, policy);
          if (due === undefined || due > watcher.nowMs) break;
          assert.ok(rings < 3, `the alarm rings for ever in ${watcher.state.phase}`);
          watcher.send({ kind: 'due' });
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
