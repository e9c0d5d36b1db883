import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { test } from 'node:test';
import { HostLocalNet } from '../../agent/host/local-net.ts';

const client = `require('node:net').connect(Number(process.argv[1]), '127.0.0.1')`;

test('a process is seen to be connected by its arguments, and its memory is not read again for that', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const machine = new HostLocalNet();
  assert.equal(await machine.isConnectedTo(port, '/etc/its.yaml'), false);
  const child = spawn(process.execPath, ['-e', client, String(port), '--config=/etc/its.yaml']);
  t.after(() => child.kill('SIGKILL'));
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  assert.equal(await machine.isConnectedTo(port, '/etc/another.yaml'), false);
  assert.equal(await machine.isConnectedTo(port, '/etc/its.yaml'), true);
  const read = t.mock.method(promises, 'readFile');
  syncBuiltinESMExports();
  t.after(() => {
    read.mock.restore();
    syncBuiltinESMExports();
  });
  assert.equal(await machine.isConnectedTo(port, '/etc/its.yaml'), true);
  const paths = read.mock.calls.map(({ arguments: [path] }) => path);
  assert.deepEqual(paths, ['/proc/net/tcp', '/proc/net/tcp6']);
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  socket.destroy();
  assert.equal(await machine.isConnectedTo(port, '/etc/its.yaml'), false);
});

test('only of processes that are connected the memory is read', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const mine = net.connect(port, '127.0.0.1');
  t.after(() => mine.destroy());
  await once(mine, 'connect');
  const read = t.mock.method(promises, 'readFile');
  syncBuiltinESMExports();
  t.after(() => {
    read.mock.restore();
    syncBuiltinESMExports();
  });
  assert.equal(await new HostLocalNet().isConnectedTo(port, 'nobody has this'), false);
  const paths = read.mock.calls.map(({ arguments: [path] }) => path);
  assert.deepEqual(
    paths.filter((path) => typeof path === 'string' && path.endsWith('/cmdline')),
    [`/proc/${process.pid}/cmdline`],
  );
});
