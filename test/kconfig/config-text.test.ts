import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isAgentError } from '../../agent/core/agent-error.ts';
import { mergeConfigs, parseConfig, printConfig } from '../../agent/kernel/config-text.ts';

const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,12}$/);
const value = fc.oneof(
  fc.constantFrom('y', 'm', 'n', '300', '0x10000', '""'),
  fc.stringMatching(/^[ -!#-~]{0,12}$/).map((text) => `"${text}"`),
);
const settings = fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 30 });

test('what is printed parses back to the same settings in the same order', () => {
  fc.assert(
    fc.property(settings, (pairs) => {
      const { lines, ignored } = parseConfig(printConfig(pairs), 'x');
      assert.deepEqual(
        lines.map((line) => [line.name, line.value]),
        pairs,
      );
      assert.deepEqual(ignored, []);
    }),
  );
});

test('of several layers the last line that names an option wins', () => {
  fc.assert(
    fc.property(fc.array(settings, { minLength: 1, maxLength: 5 }), (layers) => {
      const files = layers.map((pairs, index) => parseConfig(printConfig(pairs), `layer${index}`));
      const { config } = mergeConfigs(files);
      const expected = new Map(layers.flat());
      assert.deepEqual(new Map([...config].map(([key, setting]) => [key, setting.value])), expected);
    }),
  );
});

test('merging layers one after the other equals merging them at once', () => {
  fc.assert(
    fc.property(settings, settings, settings, (a, b, c) => {
      const parse = (pairs: readonly (readonly [string, string])[]) => parseConfig(printConfig(pairs), 'x');
      const values = (config: ReadonlyMap<string, { readonly value: string }>) =>
        new Map([...config].map(([key, setting]) => [key, setting.value]));
      const firstTwo = mergeConfigs([parse(a), parse(b)]).config;
      const inSteps = mergeConfigs([parse([...values(firstTwo)]), parse(c)]).config;
      assert.deepEqual(values(inSteps), values(mergeConfigs([parse(a), parse(b), parse(c)]).config));
    }),
  );
});

test('a setting remembers its file and line', () => {
  const { config } = mergeConfigs([
    parseConfig('# Linux\n\nCONFIG_VETH=y\n', 'arch'),
    parseConfig('# CONFIG_VETH is not set\n', 'base'),
  ]);
  assert.deepEqual(config.get('VETH'), { value: 'n', source: 'base', line: 1 });
});

test('a later layer that changes a value is an override, a repeated value is none', () => {
  const { overrides } = mergeConfigs([
    parseConfig('CONFIG_VETH=y\nCONFIG_BRIDGE=y\n', 'product'),
    parseConfig('# CONFIG_VETH is not set\nCONFIG_BRIDGE=y\n', 'base'),
  ]);
  assert.deepEqual(overrides, [
    {
      name: 'VETH',
      before: { value: 'y', source: 'product', line: 1 },
      after: { value: 'n', source: 'base', line: 1 },
    },
  ]);
});

test('the header tells the kernel version and CC_VERSION_TEXT a whole configuration', () => {
  const text =
    '#\n# Automatically generated file; DO NOT EDIT.\n# Linux/arm64 5.10.79 Kernel Configuration\n#\nCONFIG_CC_VERSION_TEXT="gcc"\n';
  const file = parseConfig(text, 'x');
  assert.equal(file.kernel, '5.10');
  assert.equal(file.isWhole, true);
  assert.equal(parseConfig('CONFIG_A=y\n', 'x').isWhole, false);
});

test('a line with spaces around the equals sign is ignored like in the kernel, and told', () => {
  const file = parseConfig('CONFIG_A=y\nCONFIG_ARM64_PTR_AUTH = y\n', 'base_defconfig');
  assert.deepEqual(file.ignored, [{ line: 2, text: 'CONFIG_ARM64_PTR_AUTH = y' }]);
  assert.equal(file.lines.length, 1);
});

for (const [what, text, complaint] of [
  ['a binary file', '\u007fELF\0\0CONFIG_A=y\n', /binary file/],
  ['Windows line ends', 'CONFIG_A=y\r\nCONFIG_B=y\r\n', /CRLF.*sed -i/],
  ['a text without settings', '# nothing\nhello\n', /sets no option/],
  ['an empty file', '', /sets no option/],
] as const) {
  test(`${what} is refused as a configuration with the way out`, () => {
    assert.throws(
      () => parseConfig(text, 'some/file'),
      (error) =>
        isAgentError(error, 'INPUT_INVALID') &&
        complaint.test(error.message) &&
        error.message.includes('some/file'),
    );
  });
}
