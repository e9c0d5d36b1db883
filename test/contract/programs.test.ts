import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs, { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { HostPrograms, HostSockets, readHead } from '../../agent/host/host-programs.ts';

function temporary(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'programs-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('our own interpreter is an executable for our own machine', async () => {
  const programs = new HostPrograms();
  const facts = await programs.inspect(process.execPath);
  assert.equal(facts.kind === 'file' && facts.elf?.machine, programs.machine);
  assert.equal(facts.kind === 'file' && facts.isExecutable, true);
});

test('scripts, texts, directories, dead links and named pipes are told apart without hanging', async (t) => {
  const directory = temporary(t);
  const programs = new HostPrograms();
  writeFileSync(`${directory}/script`, '#! /bin/sh -e\n', { mode: 0o755 });
  writeFileSync(`${directory}/text`, 'hello');
  symlinkSync('/no/such', `${directory}/dead`);
  execFileSync('/usr/bin/mkfifo', [`${directory}/pipe`]);
  const script = await programs.inspect(`${directory}/script`);
  assert.equal(script.kind === 'file' && script.interpreter, '/bin/sh');
  const text = await programs.inspect(`${directory}/text`);
  assert.equal(text.kind === 'file' && text.isExecutable, false);
  assert.equal((await programs.inspect(directory)).kind, 'not-a-file');
  assert.equal((await programs.inspect(`${directory}/dead`)).kind, 'absent');
  assert.equal((await programs.inspect(`${directory}/pipe`)).kind, 'not-a-file');
});

test('a program that was looked at before is seen as it is now', async (t) => {
  const file = `${temporary(t)}/program`;
  const programs = new HostPrograms();
  writeFileSync(file, '#!/bin/sh\n', { mode: 0o644 });
  const isRunnable = async (): Promise<boolean | undefined> => {
    const facts = await programs.inspect(file);
    return facts.kind === 'file' ? facts.isExecutable : undefined;
  };
  assert.equal(await isRunnable(), false);
  chmodSync(file, 0o755);
  assert.equal(await isRunnable(), true);
  assert.equal(await isRunnable(), true);
  rmSync(file);
  assert.equal(await isRunnable(), undefined);
});

test('a program that changes twice within a second is seen as it is, where times are whole seconds', async (t) => {
  const file = `${temporary(t)}/program`;
  const programs = new HostPrograms();
  const { statSync, fstatSync } = fs;
  const atMs = Math.floor(Date.now() / 1_000) * 1_000;
  const coarse = <S extends object>(stat: S): S => Object.assign(stat, { mtimeMs: atMs, ctimeMs: atMs });
  t.mock.method(fs, 'statSync', (path: string) => coarse(statSync(path)));
  t.mock.method(fs, 'fstatSync', (descriptor: number) => coarse(fstatSync(descriptor)));
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  const isScript = async (): Promise<boolean> => {
    const facts = await programs.inspect(file);
    return facts.kind === 'file' && facts.interpreter !== undefined;
  };
  writeFileSync(file, '##/bin/sh\n');
  assert.equal(await isScript(), false);
  writeFileSync(file, '#!/bin/sh\n');
  assert.equal(await isScript(), true);
});

test('the fingerprint changes with every replacement and rewriting', async (t) => {
  const file = `${temporary(t)}/program`;
  const programs = new HostPrograms();
  const fingerprint = async (): Promise<string> => {
    const facts = await programs.inspect(file);
    return facts.kind === 'absent' ? 'absent' : facts.fingerprint;
  };
  const seen = new Set([await fingerprint()]);
  writeFileSync(file, 'one');
  seen.add(await fingerprint());
  rmSync(file);
  writeFileSync(file, 'other');
  seen.add(await fingerprint());
  assert.equal(seen.size, 3);
  assert.ok(seen.has(await fingerprint()));
});

test('a big-endian or cut-off ELF head is read for what it is', () => {
  const head = Buffer.alloc(64);
  head.writeUInt32BE(0x7f454c46);
  head[4] = 1;
  head[5] = 2;
  head.writeUInt16BE(8, 18);
  assert.deepEqual(readHead(head), { elf: { bits: 32, machine: 8 } });
  assert.deepEqual(readHead(head.subarray(0, 10)), {});
  assert.deepEqual(readHead(Buffer.alloc(0)), {});
});

test('a socket is listening, dead or absent', async (t) => {
  const directory = temporary(t);
  const sockets = new HostSockets();
  const file = `${directory}/s.sock`;
  assert.equal(await sockets.state(file, 1_000), 'absent');
  const server = net.createServer().listen(file);
  await once(server, 'listening');
  assert.equal(await sockets.state(file, 1_000), 'listening');
  server.close();
  await once(server, 'close');
  const script = `require('net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
  try {
    execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' });
  } catch {
    // It was killed, as it should be, and left its socket behind.
  }
  assert.equal(await sockets.state(file, 1_000), 'dead');
});
