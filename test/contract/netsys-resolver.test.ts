import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { liveNameServers, parseAnswer } from '../../agent/host/netsys-resolver.ts';

/** The struct that netsys sends, in its newer form with 16 bytes of head or its older with 12. */
function answer(head: 12 | 16, names: readonly string[], error = 0): Buffer {
  const bytes = Buffer.alloc(head === 16 ? 272 : 268);
  bytes.writeInt32LE(error, 0);
  for (const [index, name] of names.entries()) bytes.write(name, head + index * 51, 'latin1');
  return bytes;
}

/** Stand-in for netsys's resolver socket of one form: hangs up on a request that makes no sense to it, as the real one. */
async function netsys(t: TestContext, form: 'new' | 'old', reply: Buffer): Promise<string> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'netsys-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'dnsproxyd');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (request) => {
      const [size, at] = form === 'new' ? [12, 4] : [8, 0];
      if (request.length < size || request.readUInt32LE(at) !== 1) socket.destroy();
      else {
        socket.write(reply.subarray(0, 100));
        socket.end(reply.subarray(100));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(file, resolve));
  t.after(() => server.close());
  return file;
}

for (const [form, head] of [
  ['new', 16],
  ['old', 12],
] as const) {
  test(`the name servers of the network are read from a netsys of the ${form} form`, async (t) => {
    const file = await netsys(t, form, answer(head, ['192.168.1.1', 'fe80::1', '']));
    assert.deepEqual(await liveNameServers(file), ['192.168.1.1', 'fe80::1']);
  });
}

test('a netsys that knows no network has no name servers', async (t) => {
  const file = await netsys(t, 'new', answer(16, ['10.0.0.1'], -19));
  assert.deepEqual(await liveNameServers(file), []);
});

test('a board without netsys says so by nothing', async () => {
  assert.equal(await liveNameServers('/nonexistent/dnsproxyd'), undefined);
});

test('what is no address is left out, and half an answer is none', () => {
  assert.deepEqual(parseAnswer(answer(16, ['8.8.8.8\nnameserver 6.6.6.6', '1.1.1.1'])), ['1.1.1.1']);
  assert.equal(parseAnswer(answer(16, ['1.1.1.1']).subarray(0, 99)), undefined);
});
