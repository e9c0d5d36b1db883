import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDeclaredUnits } from '../../agent/config/declared-units.ts';
import { parseConfig } from '../../agent/config/parse.ts';

test('a declared unit gets the defaults of what it leaves out', () => {
  const result = parseConfig('units:\n  mapper:\n    argv: [/data/mapper, --fast]\n    needs: [dockerd]\n');
  assert.ok(result.ok);
  assert.deepEqual(result.config.units, { mapper: { argv: ['/data/mapper', '--fast'], needs: ['dockerd'] } });
});

test('every problem of every declared unit is reported with its path', () => {
  const text = [
    'units:',
    '  Mapper: {argv: [/bin/x]}',
    '  dockerd: {argv: [/bin/x]}',
    '  a: {argv: []}',
    '  b: {argv: [relative]}',
    '  c: {argv: [/bin/x], stopMs: 5, colour: red}',
    '  d: 7',
  ].join('\n');
  const result = parseConfig(text);
  assert.ok(!result.ok);
  assert.deepEqual(
    result.problems.map(({ path }) => path),
    [
      'units.Mapper',
      'units.dockerd',
      'units.a.argv',
      'units.b.argv',
      'units.c.stopMs',
      'units.c.colour',
      'units.d',
    ],
  );
});

test('a need that is no unit and units that need each other are problems of the file', () => {
  const unit = (...needs: readonly string[]) => ({ argv: ['/bin/x'], needs });
  const mapping = { a: unit('b', 'dockerd'), b: unit('c'), c: unit('a'), d: unit('dockred'), e: unit('e') };
  assert.deepEqual(
    parseDeclaredUnits(mapping).problems.map(({ path, message }) => `${path} ${message}`),
    [
      'units.d.needs names "dockred", which is no unit, want one of containerd, dockerd, edgecore, a, b, c, d, e',
      'units.a.needs makes a circle: a -> b -> c -> a',
      'units.e.needs makes a circle: e -> e',
    ],
  );
});

test('a problem of arguments or environment does not tell their values: it goes to the log and to the cloud', () => {
  const wrong: readonly (readonly [string, string])[] = [
    ['argv: /bin/x --password=hunter2', 'argv is something else, want a list'],
    ['argv: [/bin/x, 12345678]', 'argv.1 is something else, want text'],
    ['argv: [/bin/x]\n    env: hunter2', 'env is something else, want a mapping'],
    ['argv: [/bin/x]\n    env:\n      PIN: 12345678', 'env.PIN is something else, want text'],
    ['argv: [/bin/x]\n    env:\n      PIN: [hunter2]', 'env.PIN is something else, want text'],
  ];
  for (const [text, said] of wrong) {
    const result = parseConfig(`units:\n  w:\n    ${text}\n`);
    assert.ok(!result.ok);
    assert.deepEqual(
      result.problems.map(({ path, message }) => `${path} ${message}`),
      [`units.w.${said}`],
    );
  }
});
