import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directory, symbolicLink, text } from '../../../scripts/image/tree.ts';
import { packCpio } from '../../../scripts/lab/cpio.ts';

interface Record {
  readonly name: string;
  readonly mode: number;
  readonly content: string;
}

/** Reads an archive back by the rules of the format ("newc": 13 numbers of 8 hexadecimal digits behind the magic). */
function unpack(bytes: Uint8Array): Record[] {
  const archive = Buffer.from(bytes);
  const records: Record[] = [];
  for (let at = 0; at < archive.length; ) {
    assert.equal(archive.toString('latin1', at, at + 6), '070701');
    const number = (index: number): number =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const nameAt = at + 110;
    const name = archive.toString('utf8', nameAt, nameAt + number(11) - 1);
    const contentAt = Math.ceil((nameAt + number(11)) / 4) * 4;
    records.push({
      name,
      mode: number(1),
      content: archive.toString('utf8', contentAt, contentAt + number(6)),
    });
    at = Math.ceil((contentAt + number(6)) / 4) * 4;
  }
  return records;
}

test('an initial ramdisk holds folders, files, links and device nodes', async () => {
  const bytes = await packCpio([
    directory('/dev'),
    { kind: 'device', path: '/dev/kmsg', mode: 0o600, major: 1, minor: 11 },
    text('/modules/list', 'a.ko\nb.ko\n'),
    symbolicLink('/bin', '/system/bin'),
  ]);
  assert.deepEqual(unpack(bytes), [
    { name: 'dev', mode: 0o040755, content: '' },
    { name: 'dev/kmsg', mode: 0o020600, content: '' },
    { name: 'modules/list', mode: 0o100644, content: 'a.ko\nb.ko\n' },
    { name: 'bin', mode: 0o120777, content: '/system/bin' },
    { name: 'TRAILER!!!', mode: 0, content: '' },
  ]);
});
