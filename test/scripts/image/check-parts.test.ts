import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkParts, findLibraries } from '../../../scripts/image/check-parts.ts';
import { sketchElf } from '../sketch-elf.ts';

const loader = '/lib/ld-linux-aarch64.so.1';
const rules = { machine: 'aarch64', loaders: ['/lab/ld.so'] };

async function folderWith(
  t: TestContext,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<(name: string) => string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'parts-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, bytes] of Object.entries(files)) await writeFile(path.join(folder, name), bytes);
  return (name) => path.join(folder, name);
}

test('parts that can run on the board have no problems', async (t) => {
  const at = await folderWith(t, {
    busybox: sketchElf({ type: 2 }),
    node: sketchElf({ interpreter: loader, needed: ['libc.so.6'] }),
    'ld-linux-aarch64.so.1': sketchElf({}),
    'libc.so.6': sketchElf({ needed: ['ld-linux-aarch64.so.1'] }),
    dockerd: sketchElf({ interpreter: '/lab/ld.so' }),
  });
  const nodeLibraries = {
    'ld-linux-aarch64.so.1': at('ld-linux-aarch64.so.1'),
    'libc.so.6': at('libc.so.6'),
  };
  const docker = { dockerd: at('dockerd') };
  assert.deepEqual(
    await checkParts({ busybox: at('busybox'), node: at('node'), nodeLibraries, docker }, rules),
    [],
  );
});

test('every reason why a part cannot run is named, all at once', async (t) => {
  const at = await folderWith(t, {
    busybox: sketchElf({ interpreter: loader, needed: ['libc.so.6'] }),
    node: sketchElf({ interpreter: loader, needed: ['libc.so.6'] }),
    'libc.so.6': sketchElf({ needed: ['libm.so.6'], textrel: true }),
    dockerd: sketchElf({ machine: 62, interpreter: '/lib64/ld-linux-x86-64.so.2' }),
    runc: new TextEncoder().encode('#!/bin/sh is no program for a kernel\n'),
  });
  const docker = { dockerd: at('dockerd'), runc: at('runc') };
  const nodeLibraries = { 'libc.so.6': at('libc.so.6') };
  const problems = await checkParts(
    { busybox: at('busybox'), node: at('node'), nodeLibraries, docker },
    rules,
  );
  const found = problems.join('\n');
  for (const reason of [
    /busybox is dynamic/,
    /runtime\/lib has no ld-linux-aarch64\.so\.1/,
    /node needs libm\.so\.6/,
    /libc\.so\.6 has text relocations/,
    /dockerd is for x86_64, want aarch64/,
    /dockerd asks for the loader \/lib64\/ld-linux-x86-64\.so\.2/,
    /runc .*Not an ELF file/,
  ]) {
    assert.match(found, reason);
  }
});

test('libraries are found through those that need them, and missing ones are named', async (t) => {
  const at = await folderWith(t, {
    program: sketchElf({ interpreter: loader, needed: ['liba.so'] }),
    'liba.so': sketchElf({ needed: ['libb.so', 'libnone.so'] }),
    'libb.so': sketchElf({ needed: ['liba.so'] }),
    'ld-linux-aarch64.so.1': sketchElf({}),
  });
  const found = await findLibraries(at('program'), [path.dirname(at('program')), '/does/not/exist']);
  assert.deepEqual(Object.keys(found.files).sort(), ['ld-linux-aarch64.so.1', 'liba.so', 'libb.so']);
  assert.deepEqual(found.missing, ['libnone.so']);
});
