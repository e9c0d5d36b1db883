import assert from 'node:assert/strict';
import { appendFile, chmod, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { findParts, manifest, partSets } from '../../scripts/parts/manifest.ts';
import { partId } from '../../scripts/parts/part.ts';
import { partsProgram } from '../../scripts/parts/parts-program.ts';
import { barText, noProgress } from '../../scripts/parts/progress.ts';
import { runProgram } from '../../scripts/terminal/program.ts';
import { RecordedTerminal } from '../fakes/recorded-terminal.ts';
import { dynamicProgram, scratch, staticProgram } from './samples.ts';

async function parts(...argv: readonly string[]) {
  const terminal = new RecordedTerminal();
  const exitCode = await runProgram(
    (finish) => partsProgram({ terminal, progress: noProgress }, finish),
    argv,
    terminal,
  );
  return { exitCode, out: terminal.text(), err: terminal.complaint() };
}

async function given(t: TestContext, bytes: Buffer): Promise<{ file: string; store: string }> {
  const folder = await scratch(t);
  const file = path.join(folder, 'given');
  await writeFile(file, bytes);
  return { file, store: path.join(folder, 'store') };
}

const built = staticProgram(
  'build\t-ldflags="-X github.com/kubeedge/kubeedge/pkg/version.gitVersion=v1.12.6 -w"',
);

test('an edgecore of one’s own is taken with the version that is recorded in it, and never started', async (t) => {
  const { file, store } = await given(t, built);
  // A program that were started here would fail: it is for another machine and has no mode for it.
  await chmod(file, 0o600);
  const { exitCode, out, err } = await parts('add', 'edgecore', file, '--into', store);
  assert.equal(exitCode, 0, err);
  assert.match(out, /edgecore@1\.12\.6/);
  assert.equal((await parts('verify', store)).exitCode, 0);
});

test('an edgecore without a recorded version needs one, and a contradicting one is refused', async (t) => {
  const { file, store } = await given(t, staticProgram());
  const nameless = await parts('add', 'edgecore', file, '--into', store);
  assert.equal(nameless.exitCode, 1);
  assert.match(nameless.err, /say which it is with --version/);
  const packed = await given(t, staticProgram('UPX!'));
  assert.match((await parts('add', 'edgecore', packed.file, '--into', store)).err, /packed with UPX/);
  assert.equal((await parts('add', 'edgecore', file, '--into', store, '--version', 'v1.13.4')).exitCode, 0);
  const other = await given(t, built);
  const wrong = await parts('add', 'edgecore', other.file, '--into', store, '--version', '1.20.0');
  assert.match(wrong.err, /version 1\.12\.6 is recorded in it/);
});

test('a file that cannot be read, and a store that cannot be written, are told with the way out', async (t) => {
  const { file, store } = await given(t, staticProgram());
  const absent = await parts('add', 'pause', `${file}-none`, '--into', store);
  assert.equal(absent.exitCode, 1);
  assert.match(absent.err, /given-none": ENOENT; name a readable file/);
  assert.equal((await parts('add', 'busybox', path.dirname(file), '--into', store)).exitCode, 1);
  const blocked = await parts('add', 'busybox', file, '--into', file);
  assert.match(blocked.err, /Cannot keep parts in .*; name a folder that may be written with --into/);
});

test('a dynamic edgecore is refused with the loader it asks for', async (t) => {
  const loader = '/lib/ld-linux-aarch64.so.1';
  const { file, store } = await given(t, dynamicProgram(loader));
  const { exitCode, err } = await parts('add', 'edgecore', file, '--into', store, '--version', '1.22.1');
  assert.equal(exitCode, 1);
  assert.match(err, new RegExp(`asks for ${loader}.*parts add edgecore`));
});

test('verify finds what changed, what is missing and what belongs to nobody', async (t) => {
  const { file, store } = await given(t, built);
  await parts('add', 'edgecore', file, '--into', store);
  await appendFile(path.join(store, 'edgecore/edgecore'), 'x');
  const changed = await parts('verify', store);
  assert.equal(changed.exitCode, 1);
  assert.match(changed.out, /edgecore\/edgecore has the sum/);
  await rm(path.join(store, 'edgecore/edgecore'));
  await writeFile(path.join(store, 'edgecore/more'), '');
  await writeFile(path.join(store, 'stray'), '');
  const { out } = await parts('verify', store);
  assert.match(out, /edgecore\/edgecore is not there/);
  assert.match(out, /edgecore\/more is in no lock file/);
  assert.match(out, /stray belongs to no part/);
});

test('verify says which companions are missing and refuses a folder that is no store', async (t) => {
  const { file, store } = await given(t, staticProgram());
  await parts('add', 'edgecore', file, '--into', store, '--version', '1.22.1');
  assert.match((await parts('verify', store)).out, /1\.22 always needs CNI plugins/);
  assert.equal((await parts('verify', path.dirname(file))).exitCode, 2);
  await writeFile(path.join(store, 'parts.lock.json'), '{');
  assert.equal((await parts('verify', store)).exitCode, 2);
});

test('the same files give the same lock file', async (t) => {
  const one = await given(t, built);
  const two = await given(t, built);
  await parts('add', 'edgecore', one.file, '--into', one.store);
  await parts('add', 'edgecore', two.file, '--into', two.store);
  const lock = async (store: string) => readFile(path.join(store, 'parts.lock.json'), 'utf8');
  assert.equal(await lock(one.store), await lock(two.store));
});

test('the manifest names each version once, over https, with sums of the right shape', () => {
  const downloads = manifest.filter(({ source }) => source.kind === 'download');
  const urls = downloads.map(({ source }) => (source.kind === 'download' ? source.url : ''));
  assert.equal(new Set(manifest.map(partId)).size, manifest.length);
  assert.equal(new Set(urls).size, urls.length);
  for (const { source } of downloads) {
    if (source.kind !== 'download') continue;
    assert.match(source.url, /^https:\/\//);
    if (source.checksum.kind === 'pinned') assert.match(source.checksum.sha256, /^[0-9a-f]{64}$/);
  }
});

test('every set names parts that exist and can be fetched', () => {
  for (const { name } of partSets) {
    const found = findParts([`set:${name}`]);
    assert.ok(found.length > 0 && found.every(({ source }) => source.kind === 'download'), name);
  }
});

test('a part that nobody offers says how to get it', async (t) => {
  const folder = await scratch(t);
  const { exitCode, err } = await parts('fetch', 'iptables', '--into', folder);
  assert.equal(exitCode, 2);
  assert.match(err, /--enable-static.*add iptables/);
});

test('list names every part, its licence and what vouches for it', async () => {
  const { out } = await parts('list');
  assert.match(out, /docker@28\.5\.2 {2}Apache-2\.0 {2}no published sum: recorded at first use/);
  assert.match(out, /set:cri {2}node@/);
  const { out: json } = await parts('list', '--json');
  assert.equal((JSON.parse(json) as { parts: unknown[] }).parts.length, manifest.length);
});

test('the bar fits its line and tells how much is here', () => {
  const running = new Map([
    ['docker.tgz', { bytes: 30_000_000, total: 60_000_000 }],
    ['node', { bytes: 10_000_000, total: 20_000_000 }],
  ]);
  const bar = barText(running, 60);
  assert.ok(bar.startsWith('[############............] 40.0 MB of 80.0 MB'), bar);
  assert.ok(bar.length <= 60);
});
