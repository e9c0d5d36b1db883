import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { HttpsDate } from '../../agent/host/https-date.ts';

async function listening(t: { after(act: () => void): void }, serve: (socket: net.Socket) => void) {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/`;
}

test('the date of any answer is told, whatever its status', async (t) => {
  const date = 'Sun, 01 Feb 2026 10:00:00 GMT';
  const url = await listening(t, (socket) => void socket.end(`HTTP/1.1 401 No\r\ndate: ${date}\r\n\r\n`));
  assert.equal(await new HttpsDate().dateOf(url), Date.parse(date));
});

test('a server that never ends its answer holds nobody up', async (t) => {
  const url = await listening(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
    const drip = setInterval(() => socket.write('a'), 5);
    socket.once('close', () => clearInterval(drip));
  });
  assert.equal(await new HttpsDate(100).dateOf(url), undefined);
});

test('nobody there is no date', async () => {
  assert.equal(await new HttpsDate().dateOf('http://127.0.0.1:1/'), undefined);
});
