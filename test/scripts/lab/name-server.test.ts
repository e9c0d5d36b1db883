import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { test } from 'node:test';
import { answerQuery, labName, startNameServer } from '../../../scripts/lab/name-server.ts';

test('the name server of the lab knows its one name, in any case, and no other', async () => {
  const server = await startNameServer();
  try {
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${server.port}`]);
    assert.deepEqual(await resolver.resolve4(labName.name), [labName.address]);
    assert.deepEqual(await resolver.resolve4(labName.name.toUpperCase()), [labName.address]);
    await assert.rejects(resolver.resolve6(labName.name), { code: 'ENODATA' });
    await assert.rejects(resolver.resolve4('other.lab.example'), { code: 'ENOTFOUND' });
  } finally {
    server.close();
  }
});

test('what is no question gets no answer', () => {
  assert.equal(answerQuery(new Uint8Array(5)), undefined);
  assert.equal(answerQuery(new Uint8Array([0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0])), undefined);
  assert.equal(answerQuery(new Uint8Array([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 9, 65])), undefined);
});
