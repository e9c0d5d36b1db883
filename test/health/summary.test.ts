import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HealthBoard } from '../../agent/health/board.ts';
import { catalogue } from '../../agent/health/catalogue.ts';
import { summarize } from '../../agent/health/summary.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const why = { reason: 'Because', message: 'because' };

test('a cause silences its consequences along the whole chain', async () => {
  const clock = new FakeClock();
  const board = new HealthBoard(clock);
  board.set('Prepared', 'false', why);
  board.set('DockerReady', 'false', why);
  board.set('EdgecoreReady', 'false', why);
  await clock.advance(60_000);
  const summary = board.summary();
  assert.deepEqual(
    summary.roots.map((root) => root.type),
    ['Prepared'],
  );
  assert.deepEqual(
    summary.silenced.map(({ condition, by }) => `${condition.type} by ${by}`),
    ['DockerReady by Prepared', 'EdgecoreReady by Prepared'],
  );
});

test('what nobody knows does not explain what is known to be bad', async () => {
  const clock = new FakeClock();
  const board = new HealthBoard(clock);
  board.set('ClockSynced', 'unknown', why);
  board.set('CertificateValid', 'false', why);
  await clock.advance(60_000);
  assert.deepEqual(
    board.summary().roots.map((root) => root.type),
    ['CertificateValid', 'ClockSynced'],
  );
});

test('a flicker is not seen, a lasting fault is seen after its time to visible', async () => {
  const clock = new FakeClock();
  const board = new HealthBoard(clock);
  board.set('NetworkReady', 'true', why);
  board.set('NetworkReady', 'false', why);
  await clock.advance(9_000);
  assert.equal(board.summary().roots.length, 0);
  assert.equal(board.summary().nextMs, 1_000);
  await clock.advance(1_000);
  assert.equal(board.summary().roots[0]?.type, 'NetworkReady');
});

test('what was never good is seen at once: there is nothing to flicker from', () => {
  const board = new HealthBoard(new FakeClock());
  board.set('NetworkReady', 'false', why);
  assert.equal(board.summary().roots[0]?.type, 'NetworkReady');
});

test('a jump of the wall clock neither hides nor shows anything', async () => {
  const clock = new FakeClock({ wallMs: 0 });
  const board = new HealthBoard(clock);
  board.set('NetworkReady', 'true', why);
  board.set('NetworkReady', 'false', why);
  clock.setWall(Date.UTC(2025, 5, 1));
  assert.equal(board.summary().pending.length, 1);
});

test('a repetition moves the last probe and nothing else', async () => {
  const clock = new FakeClock({ wallMs: 1_000 });
  const board = new HealthBoard(clock);
  board.set('DockerReady', 'true', why);
  await clock.advance(500);
  board.set('DockerReady', 'true', why);
  const condition = board.get('DockerReady');
  assert.deepEqual([condition?.sinceMs, condition?.probedAtMs], [1_000, 1_500]);
});

test('every bad condition is in exactly one place, and a loop of causes silences nobody for ever', () => {
  const types = [...Object.keys(catalogue), 'Odd'];
  const aged = fc.uniqueArray(
    fc.record(
      {
        type: fc.constantFrom(...types),
        status: fc.constantFrom('true' as const, 'false' as const, 'unknown' as const),
        causedBy: fc.option(fc.constantFrom(...types), { nil: undefined }),
        ageMs: fc.nat(30_000),
      },
      { noNullPrototype: true },
    ),
    { selector: (entry) => entry.type },
  );
  fc.assert(
    fc.property(aged, (entries) => {
      const summary = summarize(
        entries.map(({ ageMs, causedBy, ...rest }) => ({
          ageMs,
          condition: {
            ...rest,
            reason: 'R',
            message: '',
            sinceMs: 0,
            probedAtMs: 0,
            ...(causedBy === undefined ? {} : { causedBy }),
          },
        })),
      );
      const bad = entries.filter(
        ({ type, status }) => status !== (type.endsWith('Pressure') ? 'false' : 'true'),
      );
      const placed = [
        ...summary.roots.map((root) => root.type),
        ...summary.silenced.map(({ condition }) => condition.type),
        ...summary.pending.map((condition) => condition.type),
      ];
      assert.deepEqual(placed.sort(), bad.map((entry) => entry.type).sort());
      const shown = new Set([...summary.roots, ...summary.pending].map((condition) => condition.type));
      for (const { by } of summary.silenced)
        assert.ok(shown.has(by), `${by} explains, but is silenced itself`);
    }),
  );
});
