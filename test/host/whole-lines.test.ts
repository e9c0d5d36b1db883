import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withoutSecrets } from '../../agent/core/secrets.ts';
import { ReadSpace } from '../../agent/host/output-pipe.ts';
import { headroomBytes, WholeLines } from '../../agent/host/whole-lines.ts';
import { Authority } from '../standins/cloudhub/authority.ts';

/** Longest stored line; longer ones are cut. */
const longest = 20_480;
const space = new ReadSpace(headroomBytes).chunk;

/** What comes out, chunk by chunk as it would from a pipe. */
function through(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const lines = new WholeLines();
  return [...feed(lines, bytes, sizes), lines.finish()];
}

const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 65_536 })), {
  minLength: 1,
  maxLength: 8,
});
const secretIn = /SECRETSECRET/;
const jwt = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.SECRETSECRET${'Q'.repeat(700)}.SECRETSECRETsig`;
/** Everything that holds the secret, and things that only look so. */
const words = fc.oneof(
  fc.constantFrom(
    jwt,
    `${'0a'.repeat(32)}.${jwt}`,
    'token SECRETSECRET credentials are in the wrong format',
    'Bearer SECRETSECRET',
    'bearer SECRETSECRET',
    `token ${jwt} credentials are in the wrong format`,
    'Bearer ',
    'token ',
    'eyJ',
    '.',
    '\n',
    'wrong ',
  ),
  fc.string({ maxLength: 8 }),
  fc.integer({ min: 14_000, max: 18_000 }).map((length) => 'x '.repeat(length / 2)),
);

test('no secret comes through, however the stream is cut, in lines of any length', () => {
  fc.assert(
    fc.property(fc.array(words, { maxLength: 12 }), sizes, (parts, cuts) => {
      const text = parts.map((part) => (secretIn.test(part) ? ` ${part} ` : part));
      const seen = Buffer.concat(through(Buffer.from(text.join('')), cuts)).toString();
      return !secretIn.test(seen);
    }),
  );
});

test('a token of the authority comes through nowhere in a line that is too long to be kept in one', async () => {
  const token = (await Authority.create()).token();
  fc.assert(
    fc.property(fc.integer({ min: 15_000, max: 21_000 }), sizes, (before, cuts) => {
      const line = `${'word '.repeat(before / 5)}panic: token ${token} credentials are in the wrong format${' x'.repeat(15_000)}\n`;
      const seen = Buffer.concat(through(Buffer.from(line), cuts))
        .toString()
        .replaceAll('\n', '');
      assert.ok(!seen.includes(token.slice(70, 90)) && !seen.includes(token.slice(-20)));
      assert.equal(seen, withoutSecrets(line.trimEnd()));
    }),
    { numRuns: 30 },
  );
});

test('what comes out does not depend on how it came, and whatever bytes come, all of them come out', () => {
  const bytes = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(30_000).map((length) => new Uint8Array(length).fill(0x78)),
    ),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(bytes, sizes, (pieces, cuts) => {
      const whole = Buffer.concat(pieces);
      fc.pre(!/eyJ|earer|wrong /.test(whole.toString('latin1')));
      const out = through(whole, cuts);
      const text = Buffer.concat(out).toString('latin1');
      assert.equal(text, Buffer.concat(through(whole, [65_536])).toString('latin1'));
      assert.equal(text.replaceAll('\n', ''), whole.toString('latin1').replaceAll('\n', ''));
      for (const piece of out) assert.ok(piece.length === 0 || piece.at(-1) === 0x0a, 'a line is torn');
      assert.ok(text.split('\n').every(({ length }) => length <= longest));
    }),
  );
});

test('an endless line is not kept in memory', () => {
  const lines = new WholeLines();
  let waiting = 0;
  for (let turn = 0; turn < 2_000; turn += 1) {
    space.fill(0x78, 0, 4_096);
    const out = lines.push(space.subarray(0, 4_096)).toString('latin1');
    waiting += 4_096 - out.replaceAll('\n', '').length;
    assert.ok(waiting <= longest, `${waiting} bytes wait`);
  }
});

test('no secret comes through where one agent ends in the middle of it and the next goes on', async () => {
  const token = (await Authority.create()).token();
  const secrets = [
    token,
    `Bearer ${'0aZ-'.repeat(20)}`,
    `bearer ${'0aZ~'.repeat(20)}`,
    `token ${'0aZ!'.repeat(20)} credentials are in the wrong format`,
  ];
  const any = { secret: fc.constantFrom(...secrets), isKilled: fc.boolean(), sizes, at: fc.nat(2_000) };
  fc.assert(
    fc.property(fc.record(any, { noNullPrototype: true }), ({ secret, isKilled, sizes: cuts, at }) => {
      const bytes = Buffer.from(`level=info msg="one"\nwith ${secret} and more\nlast\n`);
      const cut = at % (bytes.length - 4);
      const first = new WholeLines();
      const seen = [...feed(first, bytes.subarray(0, cut), cuts)];
      if (!isKilled) seen.push(first.leave());
      const next = new WholeLines(true);
      seen.push(...feed(next, bytes.subarray(cut), cuts), next.finish());
      const text = Buffer.concat(seen).toString();
      const bare = secret.replace(/^(Bearer|bearer|token) /, '').replace(/ credentials.*/, '');
      // The head of a token, which is before its first dot, says nothing.
      const parts = bare === token ? bare.split('.').slice(-2) : [bare];
      for (const part of parts)
        for (let from = 0; from + 16 <= part.length; from += 1)
          assert.ok(!text.includes(part.slice(from, from + 16)), `${JSON.stringify(text)} at ${cut}`);
      assert.ok(text.endsWith('last\n'));
    }),
    { numRuns: 2_000 },
  );
});

test('the first line after another agent is kept as it is where nothing in it looks like a secret', () => {
  for (const line of [
    'time="2026-11-30T03:00:00.123456789Z" level=info msg="Loading containers: done."',
    'I1130 03:00:00.000000 1 server.go:102] started',
    '2026-11-30T03:00:00Z started',
    'Starting the server',
  ]) {
    const lines = new WholeLines(true);
    assert.equal(feed(lines, Buffer.from(`${line}\n`), [60_000]).join(''), `${line}\n`);
  }
});

function feed(lines: WholeLines, bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const out: Buffer[] = [];
  for (let from = 0, turn = 0; from < bytes.length; turn += 1) {
    const length = bytes.copy(space, 0, from, from + (cuts[turn % cuts.length] ?? 1));
    out.push(Buffer.from(lines.push(space.subarray(0, length))));
    from += length;
  }
  return out;
}
