import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withoutSecrets } from '../../agent/core/secrets.ts';
import { knownSecrets, type SupportParts } from '../../agent/support/collect.ts';
import { Scrubber, secretsOf } from '../../agent/support/scrub.ts';

const scrubber = new Scrubber([]);

const planted: readonly (readonly [string, string])[] = [
  ['YAML', 'modules:\n  edgeHub:\n    token: S3CR3T-value\n    port: 10000\n'],
  ['quoted YAML', 'password: "S3CR3T with blanks"\n'],
  ['a list item', '- apiKey: S3CR3T\n'],
  ['a YAML block', 'token: |\n  S3CR3T\n  S3CR3T-second\nnext: 1\n'],
  [
    'the environment of a unit',
    'units:\n  mapper:\n    env:\n      DSN: S3CR3T\n      B: c\n    needs: []\n',
  ],
  ['an environment in one line', 'env: {DSN: S3CR3T}\n'],
  ['an environment in JSON', '{"env":{"DSN":"S3CR3T"},"a":1}'],
  ['JSON', '{"user":"u","mqtt.password":"S3CR3T\\" quoted"}'],
  ['JSON within JSON', '{"message":"{\\"token\\":\\"S3CR3T\\"}"}'],
  ['an argument', '7 edgecore --token=S3CR3T --other'],
  ['an argument of its own', 'keadm join --token S3CR3T --cgroup'],
  ['a variable', 'HTTP_PASSWORD=S3CR3T PATH=/bin'],
  ['an address', 'proxy http://user:S3CR3T@proxy.example:3128/'],
  ['a header', 'Authorization: Bearer S3CR3Tabcdefgh'],
  ['a key', '-----BEGIN EC PRIVATE KEY-----\nS3CR3T\n-----END EC PRIVATE KEY-----'],
  ['a key that was cut off', 'x\n-----BEGIN PRIVATE KEY-----\nS3CR3T'],
  ['the end of a key', 'S3CR3TAAAAAAAAAAAAAAAAAAAA==\n-----END PRIVATE KEY-----\n'],
  ['a login of a registry', '{"auths":{"r.example":{"auth":"S3CR3T"}}}'],
];

for (const [where, text] of planted) {
  test(`a secret in ${where} is taken out`, () => {
    const scrubbed = scrubber.scrub(text);
    assert.doesNotMatch(scrubbed, /S3CR3T/, scrubbed);
    assert.match(scrubbed, /\[secret\]/);
  });
}

test('what stays says all but the secret', () => {
  assert.equal(scrubber.scrub('a:\n  token: abcdef\n  port: 1\n'), 'a:\n  token: [secret]\n  port: 1\n');
  assert.deepEqual(JSON.parse(scrubber.scrub('{"token":"abc","b":[1]}')), { token: '[secret]', b: [1] });
});

test('what is no secret stays', () => {
  for (const text of [
    'tokenFile: /data/token\n',
    '"reason":"TokenExpired"',
    '{"hasToken":false,"tokenSeconds":12}',
    'event token.forgotten; see `agentctl join --token-file F`',
    'sha256:'.padEnd(71, 'a'),
    'the author: somebody',
  ]) {
    assert.equal(scrubber.scrub(text), text);
  }
});

test('a secret that is known is taken out wherever it stands', () => {
  const known = new Scrubber(['hunter2hunter2', '']);
  assert.equal(known.scrub('tried hunter2hunter2 twice'), 'tried [secret] twice');
});

test('the secrets of a configuration are its values with secret names', () => {
  const text = 'mqtt:\n  password: "p4ss"\n  host: h\nx:\n  token: t.u.v\n  hasToken: true\n';
  assert.deepEqual(secretsOf(text), ['p4ss', 't.u.v']);
});

test('a text that somebody made to take long takes no longer than others', () => {
  const scrubber = new Scrubber([]);
  const repeated = [
    'AAAAAAAAAAAAAAAA\n',
    'a.',
    '-',
    '\\',
    'eyJ',
    'token=',
    'a:/',
    'atoken',
    '\\"token\\":\\"',
  ];
  for (const piece of repeated) {
    // With work that grows with the square of the length this test would not end.
    const text = piece.repeat(Math.ceil(400_000 / piece.length));
    assert.ok(scrubber.scrub(text).length > 0, piece);
  }
});

test('a token is hidden whatever stands before and after it', () => {
  const part = fc.string({ unit: fc.constantFrom(...'abcXYZ019_-'), minLength: 4, maxLength: 40 });
  const around = fc.string({ unit: fc.constantFrom(...'ab .,:="\\n/-_'), maxLength: 20 });
  fc.assert(
    fc.property(around, part, part, part, around, fc.boolean(), (before, a, b, c, after, hasHash) => {
      const secrets = [`eyJ${a}`, `eyJ${b}`, c];
      const hash = hasHash ? `${'0f'.repeat(32)}.` : '';
      const seen = withoutSecrets(`${before} ${hash}${secrets.join('.')} ${after}`);
      assert.ok(!seen.includes(`eyJ${a}`) && !seen.includes(`eyJ${b}`), seen);
      assert.ok(!seen.includes('0f0f'), seen);
      assert.ok(seen.startsWith(before) && seen.endsWith(after), seen);
    }),
  );
});

test('the key of signed commands is known by either way to write its place', () => {
  const texts: Readonly<Record<string, string>> = {
    '/home/agent.yaml': 'command.keyFile: /keys/one\nlisten:\n  keyFile: /keys/two\n',
    '/keys/one': 'first-key-of-all',
    '/keys/two': 'second-key-of-all',
  };
  const files = {
    newest: (path: string) => texts[path],
    names: () => [],
  } as unknown as SupportParts['files'];
  const parts = { files, home: '/home', etc: '/etc', configFile: '/home/agent.yaml' } as SupportParts;
  assert.deepEqual(knownSecrets(parts).filter(Boolean), ['first-key-of-all', 'second-key-of-all']);
});
