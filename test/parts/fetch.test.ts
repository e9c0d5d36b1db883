import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DownloadPolicy } from '../../scripts/parts/download.ts';
import type { Part } from '../../scripts/parts/part.ts';
import { partsProgram } from '../../scripts/parts/parts-program.ts';
import { noProgress } from '../../scripts/parts/progress.ts';
import { runProgram } from '../../scripts/terminal/program.ts';
import { RecordedTerminal } from '../fakes/recorded-terminal.ts';
import { cutOnce, serve, stallOnce, whole } from './file-server.ts';
import { dynamicProgram, foreignProgram, samplePart, scratch, sha, staticProgram, tarGz } from './samples.ts';

const big = staticProgram('x'.repeat(300_000));

/** Waits longer than any busy machine needs, so that only a server that is meant to stall counts as stalled. */
const patient: DownloadPolicy = { tries: 3, retryMs: 1, stallMs: 60_000 };

async function parts(manifest: readonly Part[], ...argv: readonly string[]) {
  return partsWith(patient, manifest, ...argv);
}

async function partsWith(policy: DownloadPolicy, manifest: readonly Part[], ...argv: readonly string[]) {
  const terminal = new RecordedTerminal();
  const context = { terminal, progress: noProgress, manifest, policy };
  const exitCode = await runProgram((finish) => partsProgram(context, finish), argv, terminal);
  return { exitCode, out: terminal.text(), err: terminal.complaint() };
}

async function installedTool(folder: string): Promise<Buffer> {
  return readFile(path.join(folder, 'tool/tool'));
}

async function nothingInstalled(folder: string): Promise<void> {
  const entries = await readdir(folder);
  assert.deepEqual(
    entries.filter((name) => name !== 'downloads'),
    [],
  );
  assert.deepEqual(
    (await readdir(path.join(folder, 'downloads'))).filter((name) => !name.includes('.part')),
    [],
  );
}

async function fetchFrom(t: TestContext, part: Part, ...more: readonly string[]) {
  const folder = await scratch(t);
  const store = path.join(folder, 'store');
  return { store, ...(await parts([part], 'fetch', 'tool', '--into', store, ...more)) };
}

test('a part comes whole, with the mode of a program, and a second fetch asks for nothing', async (t) => {
  const server = await serve(t, { '/tool': whole(big) });
  const part = samplePart(`${server.base}/tool`, { checksum: { kind: 'pinned', sha256: sha(big) } });
  const first = await fetchFrom(t, part);
  assert.equal(first.exitCode, 0, first.err);
  assert.deepEqual(await installedTool(first.store), big);
  assert.equal((await stat(path.join(first.store, 'tool/tool'))).mode & 0o777, 0o755);
  const again = await parts([part], 'fetch', 'tool', '--into', first.store);
  assert.match(again.out, /already there/);
  assert.equal(server.asked.length, 1);
});

test('a connection that breaks is opened again for what did not come', async (t) => {
  const server = await serve(t, { '/tool': cutOnce(big, 100_000) });
  const { exitCode, store, err } = await fetchFrom(t, samplePart(`${server.base}/tool`));
  assert.equal(exitCode, 0, err);
  assert.deepEqual(await installedTool(store), big);
  // What the client had taken from the broken connection by then is up to the kernel.
  assert.match(server.asked[1] ?? '', /^\/tool( bytes=\d+-)?$/);
});

test('a server that stalls is given up and asked again for the rest', async (t) => {
  const server = await serve(t, { '/tool': stallOnce(big, 50_000) });
  const store = await scratch(t);
  const policy = { tries: 50, retryMs: 1, stallMs: 300 };
  const part = samplePart(`${server.base}/tool`);
  const { exitCode, err } = await partsWith(policy, [part], 'fetch', 'tool', '--into', store);
  assert.equal(exitCode, 0, err);
  assert.deepEqual(await installedTool(store), big);
  assert.ok(server.asked.includes('/tool bytes=50000-'), server.asked.join());
});

test('what another run left is gone on with', async (t) => {
  const server = await serve(t, { '/tool': whole(big) });
  const folder = await scratch(t);
  await mkdir(path.join(folder, 'downloads'));
  await writeFile(path.join(folder, 'downloads/tool.part'), big.subarray(0, 1234));
  const { exitCode } = await parts([samplePart(`${server.base}/tool`)], 'fetch', 'tool', '--into', folder);
  assert.equal(exitCode, 0);
  assert.deepEqual(server.asked, ['/tool bytes=1234-']);
  assert.deepEqual(await installedTool(folder), big);
});

test('a redirect is followed, one in a circle is not', async (t) => {
  const server = await serve(t, {
    '/tool': (_request, response) => void response.writeHead(302, { location: '/real' }).end(),
    '/real': whole(big),
    '/circle': (_request, response) => void response.writeHead(302, { location: '/circle' }).end(),
  });
  assert.equal((await fetchFrom(t, samplePart(`${server.base}/tool`))).exitCode, 0);
  const lost = await fetchFrom(t, samplePart(`${server.base}/circle`));
  assert.equal(lost.exitCode, 1);
  await nothingInstalled(lost.store);
});

test('a file that always ends early is an error after the last try, and is not installed', async (t) => {
  const cut = cutOnce(big, 10);
  const server = await serve(t, { '/tool': (request, response) => cut(request, response, 1) });
  const { exitCode, err, store } = await fetchFrom(t, samplePart(`${server.base}/tool`));
  assert.equal(exitCode, 1);
  assert.match(err, /after 3 tries; run it again to go on/);
  await nothingInstalled(store);
});

test('a changed file is refused by the pinned sum, thrown away, and names both sums', async (t) => {
  const bad = Buffer.from(big);
  bad[200] = 7;
  const server = await serve(t, { '/tool': whole(bad) });
  const part = samplePart(`${server.base}/tool`, { checksum: { kind: 'pinned', sha256: sha(big) } });
  const { exitCode, err, store } = await fetchFrom(t, part);
  assert.equal(exitCode, 1);
  assert.ok(err.includes(sha(bad)) && err.includes(sha(big)), err);
  await nothingInstalled(store);
  assert.deepEqual(await readdir(path.join(store, 'downloads')), []);
});

test('the sum that a maker publishes decides, and without it nothing is taken', async (t) => {
  const server = await serve(t, {
    '/tool': whole(big),
    '/good.txt': whole(Buffer.from(`${sha(big, 'sha512')}\n`)),
    '/list.txt': whole(Buffer.from(`${sha(Buffer.from('o'))}  other\n${sha(big)}  tool\n`)),
    '/bad.txt': whole(Buffer.from(`${sha(Buffer.from('x'), 'sha512')}\n`)),
  });
  const published = (name: string, algorithm: 'sha256' | 'sha512') =>
    samplePart(`${server.base}/tool`, {
      checksum: { kind: 'published', algorithm, url: `${server.base}/${name}` },
    });
  assert.equal((await fetchFrom(t, published('good.txt', 'sha512'))).exitCode, 0);
  assert.equal((await fetchFrom(t, published('list.txt', 'sha256'))).exitCode, 0);
  const wrong = await fetchFrom(t, published('bad.txt', 'sha512'));
  assert.match(wrong.err, /the one published by its maker is/);
  const missing = await fetchFrom(t, published('none.txt', 'sha512'));
  assert.match(missing.err, /the file is not used without its sum/);
  for (const { exitCode, store } of [wrong, missing]) {
    assert.equal(exitCode, 1);
    await nothingInstalled(store);
  }
});

test('a sum recorded at first use is said aloud and wanted from then on', async (t) => {
  const other = staticProgram('other');
  const server = await serve(t, {
    '/tool': (request, response, asked) => whole(asked === 1 ? big : other)(request, response, asked),
  });
  const part = samplePart(`${server.base}/tool`);
  const first = await fetchFrom(t, part);
  assert.match(first.err, /publishes no sum; what came now is recorded/);
  await writeFile(path.join(first.store, 'downloads/tool'), 'damaged');
  const second = await parts([part], 'fetch', 'tool', '--into', first.store);
  assert.equal(second.exitCode, 1);
  assert.match(second.err, /the one recorded at first use is/);
  assert.deepEqual(await installedTool(first.store), big);
});

test('a page that came instead of a first download is not what is wanted from then on', async (t) => {
  const archive = await tarGz([{ name: 'tool/tool', body: big }]);
  const page = Buffer.from('<html>please log in</html>');
  const server = await serve(t, {
    '/tool.tgz': (request, response, asked) => whole(asked === 1 ? page : archive)(request, response, asked),
  });
  const part = samplePart(`${server.base}/tool.tgz`, { archive: 'tar.gz' });
  const first = await fetchFrom(t, part);
  assert.equal(first.exitCode, 1);
  assert.match(first.err, /Cannot unpack/);
  const second = await parts([part], 'fetch', 'tool', '--into', first.store);
  assert.equal(second.exitCode, 0, second.err);
  assert.deepEqual(await installedTool(first.store), big);
});

test('a store that was damaged, or left by a run that was killed, is whole again after the next fetch', async (t) => {
  const server = await serve(t, { '/tool': whole(big) });
  const part = samplePart(`${server.base}/tool`);
  const { store } = await fetchFrom(t, part);
  const gone = spawnSync('true').pid;
  await writeFile(path.join(store, 'tool/tool'), 'damaged');
  await writeFile(path.join(store, 'tool/stray'), '');
  for (const left of [`.new-tool-${gone}`, `tool.old-${gone}`]) await mkdir(path.join(store, left));
  const again = await parts([part], 'fetch', 'tool', '--into', store);
  assert.equal(again.exitCode, 0, again.err);
  assert.match(again.out, /installed/);
  assert.equal(server.asked.length, 1);
  assert.deepEqual(await readdir(path.join(store, 'tool')), ['tool']);
  assert.deepEqual(await installedTool(store), big);
  assert.deepEqual((await readdir(store)).sort(), ['downloads', 'parts.lock.json', 'tool']);
});

test('a file above its limit, or of another size than known, is refused before it is here', async (t) => {
  const endless = (_request: unknown, response: import('node:http').ServerResponse): void => {
    const more = (): void => void response.write(Buffer.alloc(65_536), () => response.destroyed || more());
    more();
  };
  const server = await serve(t, { '/tool': whole(big), '/endless': endless });
  const small = await fetchFrom(t, samplePart(`${server.base}/tool`, { sizeLimit: 1000 }));
  assert.match(small.err, /at most 1000 are taken/);
  const other = await fetchFrom(t, samplePart(`${server.base}/tool`, { size: 5 }));
  assert.match(other.err, /bytes, want 5/);
  const much = await fetchFrom(t, samplePart(`${server.base}/endless`, { sizeLimit: 500_000 }));
  assert.match(much.err, /sends more than 500000 bytes/);
  for (const { exitCode, store } of [small, other, much]) {
    assert.equal(exitCode, 1);
    await nothingInstalled(store);
  }
});

test('a program for another machine, a dynamic one and a text are no parts', async (t) => {
  const loader = '/lib/ld-linux-aarch64.so.1';
  const bodies = {
    '/x86': foreignProgram(),
    '/dynamic': dynamicProgram(loader),
    '/text': Buffer.from('#!/bin/sh\n'),
  };
  const server = await serve(
    t,
    Object.fromEntries(Object.entries(bodies).map(([name, body]) => [name, whole(body)])),
  );
  const wanted = {
    '/x86': /is for x86_64/,
    '/dynamic': /asks for \/lib\/ld-linux-aarch64/,
    '/text': /Not an ELF file/,
  };
  for (const [name, message] of Object.entries(wanted)) {
    const { exitCode, err, store } = await fetchFrom(t, samplePart(`${server.base}${name}`));
    assert.equal(exitCode, 1);
    assert.match(err, message);
    assert.ok(!(await readdir(store)).includes('tool'));
  }
});

test('several parts come at the same time and one that fails does not stop the others', async (t) => {
  let open = 0;
  let most = 0;
  const counted = (
    request: import('node:http').IncomingMessage,
    response: import('node:http').ServerResponse,
  ): void => {
    open += 1;
    most = Math.max(most, open);
    response.on('close', () => {
      open -= 1;
    });
    whole(big)(request, response, 1);
  };
  const names = ['a', 'b', 'c', 'd', 'e'];
  const server = await serve(
    t,
    Object.fromEntries(names.filter((name) => name !== 'c').map((name) => [`/${name}`, counted])),
  );
  const manifest = names.map((name) => ({ ...samplePart(`${server.base}/${name}`), name }));
  const folder = await scratch(t);
  const { exitCode, out, err } = await parts(
    manifest,
    'fetch',
    ...names,
    '--into',
    folder,
    '--jobs',
    '2',
    '--json',
  );
  const answer = JSON.parse(out) as { done: { part: string }[]; failed: { part: string }[] };
  assert.equal(exitCode, 1);
  assert.deepEqual(
    answer.done.map(({ part }) => part),
    ['a@1.0.0', 'b@1.0.0', 'd@1.0.0', 'e@1.0.0'],
  );
  assert.deepEqual(
    answer.failed.map(({ part }) => part),
    ['c@1.0.0'],
  );
  assert.match(err, /answered 404/);
  assert.ok(most <= 2, `${most} at a time`);
});

test('an archive gives exactly the files that were asked for', async (t) => {
  const archive = await tarGz([
    { name: './tool/', type: 'directory' },
    { name: './tool/tool', body: big },
    { name: './tool/README', body: Buffer.from('not wanted') },
  ]);
  const server = await serve(t, { '/tool.tgz': whole(archive) });
  const { exitCode, store, err } = await fetchFrom(
    t,
    samplePart(`${server.base}/tool.tgz`, { archive: 'tar.gz' }),
  );
  assert.equal(exitCode, 0, err);
  assert.deepEqual(await readdir(path.join(store, 'tool')), ['tool']);
});

test('a folder and a mirror stand in for the makers', async (t) => {
  const server = await serve(t, { '/mirror/tool': whole(big) });
  const part = samplePart('https://maker.invalid/deep/tool', {
    checksum: { kind: 'pinned', sha256: sha(big) },
  });
  assert.equal((await fetchFrom(t, part, '--mirror', `${server.base}/mirror`)).exitCode, 0);
  const usb = await scratch(t);
  const missing = await fetchFrom(t, part, '--offline', usb);
  assert.match(missing.err, /put the file from https:\/\/maker\.invalid\/deep\/tool there/);
  await writeFile(path.join(usb, 'tool'), big);
  const offline = await fetchFrom(t, part, '--offline', usb);
  assert.equal(offline.exitCode, 0, offline.err);
  assert.deepEqual(await readFile(path.join(usb, 'tool')), big);
});

test('a proxy named by the environment is used, and left out where NO_PROXY says so', async (t) => {
  const proxied: string[] = [];
  const proxy = await serve(t, {});
  const { createServer } = await import('node:http');
  const tunnel = createServer((request, response) => {
    proxied.push(request.url ?? '');
    response.writeHead(200, { 'content-length': big.length }).end(big);
  });
  tunnel.on('connect', (request, socket) => {
    proxied.push(request.url ?? '');
    socket.end('HTTP/1.1 502 No\r\n\r\n');
  });
  await new Promise<void>((resolve) => tunnel.listen(0, '127.0.0.1', resolve));
  t.after(() => tunnel.close());
  const address = tunnel.address();
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  process.env['http_proxy'] = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  await fetchFrom(t, samplePart('http://maker.invalid/tool'));
  assert.ok(proxied.length > 0 && proxied.every((url) => url.includes('maker.invalid')), proxied.join());
  process.env['no_proxy'] = '127.0.0.1';
  const count = proxied.length;
  await fetchFrom(t, samplePart(`${proxy.base}/tool`));
  assert.equal(proxied.length, count);
  assert.deepEqual(proxy.asked, ['/tool']);
});

test('unknown parts, versions and mirrors are wrong usage', async (t) => {
  const folder = await scratch(t);
  const part = samplePart('http://127.0.0.1:1/tool');
  const run = async (...argv: string[]) => parts([part], 'fetch', ...argv, '--into', folder);
  const unknown = await run('toool');
  assert.equal(unknown.exitCode, 2);
  assert.match(unknown.err, /want tool or set:docker/);
  assert.match((await run('tool@9')).err, /versions are 1\.0\.0/);
  assert.equal((await run('tool', '--mirror', 'nowhere')).exitCode, 2);
  assert.equal((await run('tool', '--jobs', '0')).exitCode, 2);
});
