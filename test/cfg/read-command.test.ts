import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commandsOf } from '../../scripts/cfg/command-table.ts';
import { readCommand, splitWords } from '../../scripts/cfg/read-command.ts';
import { rangesOf, releases } from '../../scripts/cfg/release.ts';

const anyRelease = fc.constantFrom(...releases);
const place = { line: 1, path: 'x' };

function rulesFor(text: string, release: (typeof releases)[number]): readonly string[] {
  const met: string[] = [];
  readCommand(text, { release, place, report: (rule) => void met.push(rule) });
  return met;
}

test('words joined by one space split into themselves, up to the limit', () => {
  const words = fc.array(fc.stringMatching(/^[!-~]{1,8}$/), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 10 }), anyRelease, (list, max, release) => {
      assert.deepEqual(splitWords(list.join(' '), max, release), list.slice(0, max));
    }),
  );
});

test('no word holds a space, and there are never more than the limit', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 10 }), anyRelease, (text, max, release) => {
      const words = splitWords(text, max, release);
      assert.ok(words.length <= max);
      assert.ok(words.every((word) => !word.includes(' ')));
    }),
  );
});

test('up to 3.2 a trailing space is one more empty word, from 4.0 on it is nothing', () => {
  assert.deepEqual(splitWords('/a ', 4, '3.2'), ['/a', '']);
  assert.deepEqual(splitWords('/a ', 4, '4.0'), ['/a']);
  assert.deepEqual(splitWords('', 4, '3.1'), ['']);
  assert.deepEqual(splitWords('', 4, '6.0'), []);
});

test('a line with as many words as its command takes never loses one', () => {
  fc.assert(
    fc.property(anyRelease, fc.integer({ min: 0, max: 60 }), (release, index) => {
      const all = [...commandsOf(release).values()];
      const command = all[index % all.length];
      assert.ok(command);
      const line = `${command.name} ${Array.from({ length: command.max }, () => '/x').join(' ')}`;
      assert.ok(!rulesFor(line, release).includes('cmd-many'));
      assert.ok(rulesFor(`${line} /y`, release).includes('cmd-many'));
    }),
  );
});

test('every release knows what the one before knew, but for one command that 5.0.2 lost for a while', () => {
  for (const [index, release] of releases.entries()) {
    const before = releases[index - 1];
    if (before === undefined) continue;
    const names = commandsOf(release);
    const lost = [...commandsOf(before).keys()].filter((name) => !names.has(name));
    assert.deepEqual(lost, release === '5.0.2' ? ['stop_feed_highdog'] : []);
  }
});

test('releases print as ranges', () => {
  assert.equal(rangesOf(releases), 'all releases');
  assert.equal(rangesOf(['3.1']), '3.1');
  assert.equal(rangesOf(['3.1', '4.0', '4.1', '7.0']), '3.1, 4.0 to 4.1, 7.0');
});
