import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SecretFilter } from '../../agent/host/secret-filter.ts';
import { Authority } from '../standins/cloudhub/authority.ts';

function through(pieces: readonly Buffer[]): string {
  const filter = new SecretFilter();
  return Buffer.concat([...pieces.map((piece) => filter.push(piece)), filter.flush()]).toString('latin1');
}

test('a token never comes through, wherever the stream is cut', async () => {
  const token = (await Authority.create()).token();
  const text = `I0101 x] start\npanic: token ${token} credentials are in the wrong format\ntoken=${token}\nBearer ${token.slice(65)}\nend\n`;
  const cuts = fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 6 });
  fc.assert(
    fc.property(cuts, (at) => {
      const edges = [0, ...[...at].sort((a, b) => a - b), text.length];
      const pieces = edges.slice(1).map((end, index) => Buffer.from(text.slice(edges[index], end)));
      const seen = through(pieces);
      return (
        !seen.includes(token.slice(70, 90)) && !seen.includes(token.slice(-20)) && seen.endsWith('end\n')
      );
    }),
  );
});

test('output without secrets comes through byte by byte as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (pieces) => {
      const text = pieces.map((piece) => Buffer.from(piece));
      const whole = Buffer.concat(text).toString('latin1');
      fc.pre(!/eyJ|earer |credentials/.test(whole));
      return through(text) === whole;
    }),
  );
});

test('a line that is not finished is not held back unless a token may begin in it', () => {
  const filter = new SecretFilter();
  assert.equal(filter.push(Buffer.from('Loading: 42 %')).toString(), 'Loading: 42 %');
});
