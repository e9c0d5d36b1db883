import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type JsonNode, member, readJson } from '../../scripts/cfg/json-text.ts';

function plain(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
    case 'array':
      return node.items.map(plain);
    case 'string':
      return node.text;
    case 'number':
    case 'boolean':
      return node.value;
    case 'null':
      return null;
  }
}

const anyJson = fc
  .jsonValue({ noUnicodeString: false })
  .filter((value) => !JSON.stringify(value).includes('__proto__'));

test('what JSON.stringify writes is read back as the same value, however it is indented', () => {
  fc.assert(
    fc.property(anyJson, fc.constantFrom(0, 2, 4), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const read = readJson(text);
      assert.ok(read.isRead);
      assert.deepEqual(JSON.stringify(plain(read.root)), JSON.stringify(JSON.parse(text)));
      assert.equal(read.garbageLine, undefined);
    }),
  );
});

test('a text cut short is broken at a line that it has', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), anyJson, { minKeys: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (value, part) => {
        const text = JSON.stringify(value, null, 1);
        const cut = text.slice(0, Math.floor(part * (text.length - 1)));
        const read = readJson(cut);
        assert.equal(read.isRead, false);
        if (!read.isRead) assert.ok(read.line >= 1 && read.line <= cut.split('\n').length);
      },
    ),
  );
});

test('a line and a column tell where the text breaks', () => {
  assert.deepEqual(readJson('{\n  "a": 1,\n}'), {
    isRead: false,
    line: 2,
    column: 9,
    problem: 'a comma before the closing bracket',
  });
  assert.deepEqual(readJson('[1 2]'), { isRead: false, line: 1, column: 4, problem: 'want "," or "]" here' });
});

for (const [what, text, problem] of [
  ['a comment', '{ // x\n}', /want a key in double quotes/],
  ['single quotes', "{'a': 1}", /want a key in double quotes/],
  ['a string without end', '{"a": "x', /does not end/],
  ['an unknown escape', '{"a": "\\x"}', /no escape/],
  ['no value', '{"a": }', /no JSON value/],
  ['nothing', '', /ends here/],
  ['a missing colon', '{"a" 1}', /want ":"/],
  ['endless nesting', '['.repeat(1200), /deeper than 1000/],
] as const) {
  test(`${what} makes a text unreadable`, () => {
    const read = readJson(text);
    assert.ok(!read.isRead && problem.test(read.problem));
  });
}

test('a byte order mark, what follows the value, and repeated keys are told and not refused', () => {
  const read = readJson('\uFEFF{"a": 1, "A": 2, "a": 3}\n\nrest');
  assert.ok(read.isRead);
  assert.equal(read.hasByteOrderMark, true);
  assert.equal(read.garbageLine, 3);
  assert.deepEqual(member(read.root, 'A')?.value, { kind: 'number', line: 1, value: 1 });
  assert.deepEqual(member(read.root, 'A', true)?.value, { kind: 'number', line: 1, value: 2 });
});
