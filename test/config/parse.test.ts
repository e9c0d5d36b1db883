import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { defaultConfig, maxConfigLength } from '../../agent/config/default-config.ts';
import { keys } from '../../agent/config/keys.ts';
import { parseConfig } from '../../agent/config/parse.ts';
import { defaultFile } from '../../agent/config/reference.ts';

function problemsOf(text: string): readonly string[] {
  const result = parseConfig(text);
  return result.ok
    ? []
    : result.problems.map(({ path, line, message }) => `${line ?? '-'} ${path} ${message}`);
}

test('an empty file is the default configuration', () => {
  assert.deepEqual(parseConfig(''), { ok: true, config: defaultConfig() });
  assert.deepEqual(parseConfig('# only a comment\n'), { ok: true, config: defaultConfig() });
});

test('nested and dotted spelling of a key mean the same', () => {
  const nested = parseConfig('dockerd:\n  stopMs: 5000\n');
  assert.deepEqual(nested, parseConfig('dockerd.stopMs: 5000\n'));
  assert.ok(nested.ok && nested.config['dockerd.stopMs'] === 5000);
});

test('every problem of a file is reported at once with its line and what is wanted', () => {
  const text = 'dockerd:\n  stopMs: soon\n  storageDrivr: vfs\nprep:\n  root: best\nlog.files: 99\n';
  assert.deepEqual(problemsOf(text), [
    '2 dockerd.stopMs is "soon", want a whole number from 1000 to 600000',
    '3 dockerd.storageDrivr is not a known key, did you mean dockerd.storageDriver?',
    '5 prep.root is "best", want one of auto, image, stock, host',
    '6 log.files is 99, want a whole number from 1 to 20',
  ]);
});

test('a key given both ways is refused', () => {
  assert.deepEqual(problemsOf('log.files: 2\nlog:\n  files: 3\n'), ['3 log.files is given twice']);
});

test('broken YAML, a list and an alias bomb are refused with a reason', () => {
  assert.match(problemsOf('a: [1, 2')[0] ?? '', /^\d+ /);
  assert.deepEqual(problemsOf('- a\n'), ['-  is not a mapping of keys to values']);
  const bomb = 'dockerd.config:\n  a: &a [x,x,x,x]\n  b: &b [*a,*a,*a,*a]\n  c: [*b,*b,*b,*b]\n';
  assert.match(problemsOf(bomb)[0] ?? '', /cannot be read: it uses an alias/);
});

test('what YAML refuses is told in plain words with its line', () => {
  const deep = `dockerd.config: ${'['.repeat(5_000)}${']'.repeat(5_000)}`;
  const cases: readonly (readonly [string, string])[] = [
    ['log.files: 1\nlog.files: 2\n', '2  is not valid YAML: Map keys must be unique'],
    ['log:\n\tfiles: 1\n', '2  is not valid YAML: Tabs are not allowed as indentation'],
    [
      'log.files: 1\n---\nlog.files: 2\n',
      '2  is not valid YAML: a line "---" begins a second document; want one',
    ],
    [deep, '1  is not valid YAML: it is nested too deeply'],
  ];
  for (const [text, problem] of cases) assert.equal(problemsOf(text)[0], problem);
});

test('a group whose keys are all commented out is an empty one', () => {
  assert.deepEqual(problemsOf('log:\n  # files: 3\ndockerd: ~\n'), []);
  assert.deepEqual(problemsOf('---\n# nothing\n'), []);
  assert.equal(problemsOf('nosuch:\n').length, 1);
});

test('a problem of a declared unit has the line it stands on', () => {
  const text = 'units:\n  a:\n    argv: [/bin/x]\n    stopMs: 5\n  b:\n    colour: red\n';
  assert.deepEqual(problemsOf(text), [
    '4 units.a.stopMs is 5, want a whole number from 100 to 600000',
    '5 units.b.argv is missing',
    '6 units.b.colour is not a known key of a unit',
  ]);
});

test('a file above the limit is refused unread', () => {
  const [problem] = problemsOf(`#${'x'.repeat(maxConfigLength)}`);
  assert.match(problem ?? '', /want at most/);
});

test('a key without value keeps its default', () => {
  assert.deepEqual(parseConfig('log.files:\n'), { ok: true, config: defaultConfig() });
});

test('no text makes the parser throw', () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => typeof parseConfig(text).ok === 'boolean'));
});

test('every default fits its own row', () => {
  const defaults = Object.fromEntries(Object.entries(keys).map(([key, row]) => [key, row.default]));
  const text = stringify(defaults, { aliasDuplicateObjects: false });
  assert.deepEqual(parseConfig(text), { ok: true, config: defaultConfig() });
});

test('the default file of the overlay is the one made from the table', async () => {
  const path = 'sysroot-overlay/system/opt/oh-edge-agent/agent.default.yaml';
  assert.equal(await readFile(path, 'utf8'), defaultFile(), 'run `npm run reference`');
});

test('the default file with every comment taken off is valid', () => {
  const text = defaultFile().replace(/^#(?=[a-z]+\.[A-Za-z]+:)/gm, '');
  assert.deepEqual(parseConfig(text), { ok: true, config: defaultConfig() });
});

test('a mapping in the place of a key is no known key, however deep it is', () => {
  // As text it would have a hundred megabytes.
  const result = parseConfig('? '.repeat(24));
  assert.ok(!result.ok);
  assert.deepEqual(
    result.problems.map(({ path }) => path),
    ['(no plain word)'],
  );
});
