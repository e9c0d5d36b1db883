import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { PathFacts, ProductFiles } from '../../agent/core/product-files.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { PartsKeeper } from '../../agent/parts/parts-keeper.ts';
import { contentManifest } from '../../scripts/image/content-manifest.ts';
import { directory, symbolicLink, type TreeEntry, text } from '../../scripts/image/tree.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

/** The product's files in memory; counts what was read. */
class FakeProduct implements ProductFiles {
  readonly #entries = new Map<string, { entry: TreeEntry; stamp: number }>();
  readonly read: string[] = [];

  put(entry: TreeEntry): void {
    this.#entries.set(entry.path, { entry, stamp: (this.#entries.get(entry.path)?.stamp ?? 0) + 1 });
  }

  remove(path: string): void {
    this.#entries.delete(path);
  }

  async facts(path: string): Promise<PathFacts | undefined> {
    const found = await Promise.resolve(this.#entries.get(path));
    if (found === undefined) return undefined;
    const { entry, stamp } = found;
    const kind = entry.kind === 'text' ? 'file' : entry.kind;
    const target = entry.kind === 'link' ? entry.target : '';
    return { kind, mode: entry.mode, sizeBytes: bytesOf(entry).length, stamp: String(stamp), target };
  }

  async sum(path: string): Promise<string> {
    this.read.push(path);
    const found = await Promise.resolve(this.#entries.get(path));
    return createHash('sha256')
      .update(found === undefined ? '' : bytesOf(found.entry))
      .digest('hex');
  }
}

function bytesOf(entry: TreeEntry): string {
  return entry.kind === 'text' ? entry.content : '';
}

const manifestPath = '/product/manifest.json';
const delivered = [
  directory('/product'),
  text('/product/agent.js', 'the agent'),
  text('/product/dockerd', 'the engine', 0o755),
  symbolicLink('/product/iptables', 'xtables-legacy-multi'),
  text('/etc/machine-id', ''),
];

async function newBoard(disk = new FakeDisk()) {
  const clock = new FakeClock();
  const product = new FakeProduct();
  for (const entry of delivered) product.put(entry);
  disk.files.set(manifestPath, await contentManifest(delivered, '1.0.0'));
  const board = new HealthBoard(clock);
  const log = new QuietLog();
  const record = '/state/sums.json';
  const keeper = new PartsKeeper({ clock, board, log, files: disk, product, manifest: manifestPath, record });
  const over = new AbortController();
  const found = (): string => {
    const condition = board.get('PartsVerified');
    return condition === undefined ? 'nothing' : `${condition.status} ${condition.message}`;
  };
  return { clock, product, board, log, disk, keeper, over, found };
}

const settled = 60_000;
const hour = 3_600_000;

test('the product is looked at once the board is up, and each file is read once', async () => {
  const { clock, keeper, over, found, product } = await newBoard();
  keeper.start(over.signal);
  await clock.advance(settled - 1);
  assert.equal(found(), 'nothing');
  await clock.advance(1);
  assert.equal(found(), 'true All 3 files are as they were delivered');
  await clock.advance(hour);
  assert.deepEqual(product.read, ['/product/agent.js', '/product/dockerd']);
  over.abort();
  await keeper.stop();
});

test('another agent reads only what changed since', async () => {
  const first = await newBoard();
  first.keeper.start(first.over.signal);
  await first.clock.advance(settled);
  first.over.abort();
  await first.keeper.stop();
  const second = await newBoard(first.disk);
  second.product.put(text('/product/agent.js', 'The agent'));
  second.keeper.start(second.over.signal);
  await second.clock.advance(settled);
  assert.deepEqual(second.product.read, ['/product/agent.js']);
  assert.match(
    second.found(),
    /^false 1 of 3 files differ.*: \/product\/agent\.js has other content\. Install/,
  );
  second.over.abort();
});

test('each kind of difference is told by the name of its file', async () => {
  const { clock, keeper, over, found, product } = await newBoard();
  product.remove('/product/agent.js');
  product.put(text('/product/dockerd', 'the engine', 0o644));
  product.put(symbolicLink('/product/iptables', 'busybox'));
  keeper.start(over.signal);
  await clock.advance(settled);
  assert.match(found(), /^false 3 of 3 /);
  assert.match(found(), /agent\.js is missing; .*dockerd cannot be executed \(mode 0644, want 0755\)/);
  assert.match(found(), /iptables leads to busybox, want xtables-legacy-multi/);
  assert.deepEqual(product.read, []);
  over.abort();
});

test('a file that was cut short is seen without reading it, and what was repaired is good again', async () => {
  const { clock, keeper, over, found, product, log } = await newBoard();
  product.put(text('/product/dockerd', 'the', 0o755));
  keeper.start(over.signal);
  await clock.advance(settled);
  assert.match(found(), /^false .*dockerd has 3 bytes, want 10/);
  assert.deepEqual(product.read, ['/product/agent.js']);
  product.put(text('/product/dockerd', 'the engine', 0o755));
  await clock.advance(hour);
  assert.match(found(), /^true /);
  assert.deepEqual(log.events(), ['parts.differ']);
  over.abort();
});

test('where nothing was delivered nothing is claimed, and a broken manifest is no verdict', async () => {
  const absent = await newBoard();
  absent.disk.files.delete(manifestPath);
  absent.keeper.start(absent.over.signal);
  await absent.clock.advance(settled);
  assert.equal(absent.found(), 'nothing');
  assert.deepEqual(absent.log.events(), ['parts.no-manifest']);
  await absent.keeper.stop();
  const broken = await newBoard();
  broken.disk.files.set(manifestPath, '{"version":1,"entries":[{"type":"file"}]}');
  broken.keeper.start(broken.over.signal);
  await broken.clock.advance(settled);
  assert.match(broken.found(), /^unknown Cannot read the content manifest/);
  broken.over.abort();
});

test('a record that cannot be read only costs the reading', async () => {
  const disk = new FakeDisk();
  disk.files.set('/state/sums.json', 'torn');
  const { clock, keeper, over, found, log } = await newBoard(disk);
  keeper.start(over.signal);
  await clock.advance(settled);
  assert.match(found(), /^true /);
  assert.deepEqual(log.events(), ['parts.record.broken']);
  over.abort();
});
