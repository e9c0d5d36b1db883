import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { withoutSecrets } from '../../agent/core/secrets.ts';
import { parseToken } from '../../agent/edge/token.ts';
import { Authority } from '../standins/cloudhub/authority.ts';

const problemOf = (text: string): string => {
  const result = parseToken(text);
  return result.ok ? '' : result.problem;
};

test('a token of the authority is taken apart without showing itself', async () => {
  const authority = await Authority.create();
  const text = authority.token(3_600_000);
  const result = parseToken(` ${text}\n`);
  assert.ok(result.ok);
  assert.equal(result.token.caHash, authority.caHash());
  assert.ok(Math.abs((result.token.expiresAtMs ?? 0) - Date.now() - 3_600_000) < 5_000);
  assert.equal(result.token.secret.reveal(), text);
  for (const shown of [inspect(result), JSON.stringify(result), String(result.token.secret)]) {
    assert.ok(!shown.includes(text.slice(70)), shown);
  }
});

test('each malformed token has its own words, none of which quote it', () => {
  const hash = 'a'.repeat(64);
  const claims = Buffer.from('{"exp":1}').toString('base64url');
  assert.match(problemOf(''), /is empty/);
  assert.match(problemOf('a.b'), /has 2 parts with dots between, want 4/);
  assert.match(problemOf(`xyz.${claims}.${claims}.sig`), /64 hex digits/);
  assert.match(problemOf(`${hash}.${claims}.${claims}.si/g`), /characters that a token never has/);
  assert.match(problemOf(`${hash}.${claims}.nojson.sig`), /JWT/);
  assert.match(problemOf(`${hash}.${claims}.${claims} .sig`), /blank or line break/);
  assert.match(problemOf('x'.repeat(5000)), /5000 characters/);
});

test('no text whatsoever breaks the parser or comes back in its answer', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 12, maxLength: 200 }), (text) => {
      const result = parseToken(text);
      return result.ok || !result.problem.includes(text.trim());
    }),
  );
});

test('secrets are taken out of log lines in every form in which edgecore prints them', async () => {
  const authority = await Authority.create();
  const token = authority.token();
  const jwt = token.split('.').slice(1).join('.');
  const lines = [
    `panic: failed to apply the edge certs, err: token ${token} credentials are in the wrong format`,
    'panic: failed to apply the edge certs, err: token abc.def credentials are in the wrong format',
    `token: ${token}`,
    `Authorization: Bearer ${jwt}`,
    `{"token":"${jwt}"}`,
  ];
  for (const line of lines) {
    const clean = withoutSecrets(line);
    assert.ok(!clean.includes(jwt.slice(5, 40)) && !clean.includes('abc.def'), clean);
    assert.ok(clean.includes('[secret]'));
  }
  const harmless = 'I0823 12:34:56.789012 1 server.go:102] Version: v1.22.1';
  assert.equal(withoutSecrets(harmless), harmless);
});
