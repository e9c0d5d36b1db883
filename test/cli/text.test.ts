import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { durationText, parseDuration } from '../../agent/cli/duration.ts';
import { statusLines } from '../../agent/cli/status-text.ts';
import { chooseStyle } from '../../agent/cli/style.ts';
import { tableLines, wrapText } from '../../agent/cli/table.ts';
import { localTime, parseInstant } from '../../agent/host/calendar.ts';
import { boardTimeMs, FakeVerbs } from '../fakes/fake-verbs.ts';

const plain = chooseStyle(false, {});

test('a status is no wider than its terminal and says the same in fewer columns', () => {
  const verbs = new FakeVerbs();
  const long =
    'dockerd answers but its storage driver is vfs where overlay2 is wanted, see the kernel options';
  verbs.board.set('DockerReady', 'false', { reason: 'WrongStorageDriver', message: long });
  verbs.board.set('EdgecoreReady', 'false', { reason: 'Waiting', message: 'x', causedBy: 'DockerReady' });
  verbs.board.set('MemoryPressure', 'false', { reason: 'Enough', message: 'enough' });
  const text = statusLines(verbs.status(), { nowMs: boardTimeMs, style: plain, columns: 80 });
  for (const line of text) assert.ok(line.length <= 80, line);
  const joined = text.join(' ').replaceAll(/\s+/g, ' ');
  assert.match(
    joined,
    /WrongStorageDriver: dockerd answers but its storage driver is vfs where overlay2 is wanted/,
  );
  assert.match(joined, /EdgecoreReady false \S+ ms Waiting: because of DockerReady/);
  assert.match(joined, /MemoryPressure false \S+ ms Enough/);
});

test('a condition is not shown older than the agent: the wall clock of a board may have jumped', () => {
  const verbs = new FakeVerbs();
  verbs.board.set('DockerReady', 'true', { reason: 'Ready', message: 'm' });
  const nowMs = boardTimeMs + 20 * 365 * 86_400_000;
  const text = statusLines(verbs.status(), { nowMs, style: plain, columns: 80 });
  assert.match(text.find((line) => line.startsWith('DockerReady')) ?? '', / 1 h /);
});

test('a unit that waits says why, when it will be tried again, and that it was adopted', () => {
  const verbs = new FakeVerbs();
  verbs.setUnit('edgecore', { retryAtMs: boardTimeMs + 40_000, adopted: true });
  const text = statusLines(verbs.status(), { nowMs: boardTimeMs, style: plain, columns: 200 });
  const line = text.find((one) => one.startsWith('edgecore')) ?? '';
  assert.match(line, /adopted; CrashLoop: ended 5 times in 60 s; next try in 40 s$/);
});

test('colour is for terminals, not against NO_COLOR and not for dumb ones', () => {
  assert.equal(chooseStyle(true, {}).bad('x'), '\u001B[31mx\u001B[0m');
  assert.equal(chooseStyle(false, {}).bad('x'), 'x');
  assert.equal(chooseStyle(true, { NO_COLOR: '1' }).bad('x'), 'x');
  assert.equal(chooseStyle(true, { NO_COLOR: '' }).bad('x'), '\u001B[31mx\u001B[0m');
  assert.equal(chooseStyle(true, { TERM: 'dumb' }).bad('x'), 'x');
});

test('paint does not move columns', () => {
  const bold = (text: string): string => `<<${text}>>`;
  assert.deepEqual(
    tableLines(
      [
        [{ text: 'a', paint: bold }, 'x'],
        ['bbb', 'y'],
      ],
      80,
    ),
    ['<<a>>    x', 'bbb  y'],
  );
});

test('where the last column would be too narrow its text goes below the row', () => {
  const subject = 'mount:/sys/fs/cgroup/perf_event';
  const rows = [
    ['12', '2026-11-29 20:28:17', 'hold', subject, 'StepFailed: Cannot run "busybox mount -n": ENOENT'],
  ];
  assert.deepEqual(tableLines(rows, 80), [
    `12  2026-11-29 20:28:17  hold  ${subject}`,
    '    StepFailed: Cannot run "busybox mount -n": ENOENT',
  ]);
});

test('control characters in a table are written out', () => {
  assert.deepEqual(tableLines([['a\u001b[2J', 'b\u009b1m']], 80), ['a\\x1b[2J  b\\x9b1m']);
});

test('a table is never wider than asked as long as words fit, and loses no word', () => {
  const word = fc.stringMatching(/^[a-z]{1,10}$/);
  const row = fc.tuple(
    word,
    word,
    fc.array(word, { maxLength: 30 }).map((words) => words.join(' ')),
  );
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 10 }), (rows) => {
      const lines = tableLines(rows, 60);
      for (const line of lines) assert.ok(line.length <= 60, line);
      const words = (text: string): string[] => text.split(/\s+/).filter(Boolean).sort();
      assert.deepEqual(words(lines.join(' ')), words(rows.flat().join(' ')));
    }),
  );
});

test('a word longer than the line stands alone', () => {
  assert.deepEqual(wrapText('a bbbbbbbbbb c', 5), ['a', 'bbbbbbbbbb', 'c']);
});

const durations: readonly (readonly [number, string])[] = [
  [-5, '0 ms'],
  [0, '0 ms'],
  [999, '999 ms'],
  [1_000, '1 s'],
  [59_999, '59 s'],
  [61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [11_520_000, '3 h 12 min'],
  [90_000_000, '1 d 1 h'],
];
for (const [ms, text] of durations) {
  test(`${ms} ms are shown as "${text}"`, () => assert.equal(durationText(ms), text));
}

test('durations are read in the usual spellings, a bare number as seconds', () => {
  const all = ['500ms', '90s', '10m', '10min', '2h', '1d', '1.5s', '5'].map((text) =>
    parseDuration('--x', text),
  );
  assert.deepEqual(all, [500, 90_000, 600_000, 600_000, 7_200_000, 86_400_000, 1_500, 5_000]);
});

test('what is no duration is refused with examples', () => {
  for (const text of ['', 'soon', '-5s', '1e9', '5 parsecs', '9999999999s']) {
    assert.throws(() => parseDuration('--timeout', text), /want a time such as 90s, 10m, 2h or 1d/);
  }
});

test('a written date is read back as it is shown', () => {
  const shown = localTime(boardTimeMs);
  assert.equal(parseInstant(shown), boardTimeMs);
  assert.equal(parseInstant('yesterday'), undefined);
  assert.equal(parseInstant('2025-99-99'), undefined);
});
