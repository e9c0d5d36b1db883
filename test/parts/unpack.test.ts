import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ArchiveLimits } from '../../agent/host/read-archive.ts';
import { unpackTarGz } from '../../scripts/parts/unpack.ts';
import { type SampleEntry, scratch, staticProgram, tarGz } from './samples.ts';

const limits: ArchiveLimits = { entries: 50, bytes: 1_000_000 };
const tool: SampleEntry = { name: 'tool/tool', body: staticProgram() };
const files = [{ from: 'tool/tool', to: 'tool', rule: 'static-program' }] as const;

/** Unpacks into outer/inner and reports what came of it; nothing may ever appear beside the wanted file. */
async function unpack(t: TestContext, archive: Buffer, mayHoldLinks = false) {
  const outer = await scratch(t);
  const inner = path.join(outer, 'inner');
  await mkdir(inner);
  const file = path.join(outer, 'archive.tgz');
  await writeFile(file, archive);
  const problem = await unpackTarGz(file, inner, { files, limits, mayHoldLinks }).then(
    () => null,
    (error: Error) => error.message,
  );
  assert.deepEqual((await readdir(outer)).sort(), ['archive.tgz', 'inner']);
  const inside = await readdir(inner, { recursive: true });
  assert.deepEqual(
    inside.filter((name) => name !== 'tool'),
    [],
  );
  return { problem, inside };
}

const hostile: Readonly<Record<string, { readonly entries: readonly SampleEntry[]; readonly says: RegExp }>> =
  {
    'a path that climbs out': { entries: [{ name: '../evil', body: Buffer.from('x') }], says: /climbs out/ },
    'a path that climbs out in the middle': {
      entries: [{ name: 'tool/../../evil', body: Buffer.from('x') }],
      says: /climbs out/,
    },
    'an absolute path': { entries: [{ name: '/tmp/parts-evil', body: Buffer.from('x') }], says: /absolute/ },
    'a path of another system': {
      entries: [{ name: '..\\evil', body: Buffer.from('x') }],
      says: /backslash/,
    },
    'a drive letter': { entries: [{ name: 'C:/evil', body: Buffer.from('x') }], says: /absolute/ },
    'a symbolic link': {
      entries: [{ name: 'out', type: 'symlink', linkname: '/etc' }, { name: 'out/evil' }],
      says: /link/,
    },
    'a hard link': { entries: [{ name: 'passwd', type: 'link', linkname: '/etc/passwd' }], says: /link/ },
    'a device': { entries: [{ name: 'null', type: 'character-device' }], says: /character-device/ },
    'a disk': { entries: [{ name: 'sda', type: 'block-device' }], says: /block-device/ },
    'a pipe': { entries: [{ name: 'pipe', type: 'fifo' }], says: /fifo/ },
    'the same file twice': { entries: [tool], says: /twice/ },
    'too many entries': {
      entries: Array.from({ length: 60 }, (_unused, index) => ({ name: `n${index}` })),
      says: /more than 50 entries/,
    },
    'a bomb': {
      entries: [{ name: 'zeros', body: Buffer.alloc(3_000_000) }],
      says: /more than 1000000 bytes/,
    },
  };

for (const [what, { entries, says }] of Object.entries(hostile)) {
  test(`an archive with ${what} is refused and writes nothing outside`, async (t) => {
    const { problem } = await unpack(t, await tarGz([tool, ...entries]));
    assert.match(problem ?? 'taken', says);
  });
}

test('links are passed over where a part is known to hold some, but never for the wanted file', async (t) => {
  const link: SampleEntry = { name: 'bin/npm', type: 'symlink', linkname: '../../../etc' };
  const fine = await unpack(t, await tarGz([link, tool]), true);
  assert.equal(fine.problem, null);
  assert.deepEqual(fine.inside, ['tool']);
  const disguised = await unpack(
    t,
    await tarGz([{ name: 'tool/tool', type: 'symlink', linkname: '/bin/sh' }]),
    true,
  );
  assert.match(disguised.problem ?? 'taken', /link to "\/bin\/sh"/);
});

test('an archive that is cut short, no archive at all, or without the wanted file is refused', async (t) => {
  const good = await tarGz([
    { name: 'tool/tool', body: Buffer.from(Array.from({ length: 9000 }, (_unused, i) => (i * 7919) % 251)) },
  ]);
  assert.match((await unpack(t, good.subarray(0, good.length / 2))).problem ?? 'taken', /take another copy/);
  assert.match((await unpack(t, Buffer.from('hello'))).problem ?? 'taken', /take another copy/);
  assert.match((await unpack(t, gzipSync('x'.repeat(5000)))).problem ?? 'taken', /take another copy/);
  assert.match(
    (await unpack(t, await tarGz([{ name: 'other' }]))).problem ?? 'taken',
    /does not hold tool\/tool/,
  );
});
