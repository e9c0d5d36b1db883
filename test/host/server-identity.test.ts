import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import type { PeerCertificate } from 'node:tls';
import { checkServerIdentity } from '../../agent/host/server-identity.ts';
import { Authority } from '../standins/cloudhub/authority.ts';

test('a server is known by each of its names and addresses, IPv6 in any spelling, and by no other', async () => {
  const authority = await Authority.create();
  const now = Date.now();
  const names = ['cloud.example', '127.0.0.1', '::1', 'fd00::12'];
  const { certificatePem } = await authority.serverPair(names, {
    fromMs: now - 60_000,
    untilMs: now + 60_000,
  });
  // What node:tls hands to the check.
  const shown = new X509Certificate(certificatePem).toLegacyObject() as PeerCertificate;
  for (const name of [...names, 'fd00:0:0:0:0:0:0:12'])
    assert.equal(checkServerIdentity(name, shown), undefined, name);
  for (const name of ['other.example', '127.0.0.2', '::2', 'fd00::13'])
    assert.ok(checkServerIdentity(name, shown) instanceof Error, name);
});
