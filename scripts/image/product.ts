import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { AgentError } from '../../agent/core/agent-error.ts';
import { productDir } from '../../agent/core/constants.ts';
import type { Release } from '../cfg/release.ts';
import { billOfMaterials } from './bill-of-materials.ts';
import { requireFittingParts } from './check-parts.ts';
import { contentManifest } from './content-manifest.ts';
import { partsFromStore } from './from-store.ts';
import { withCfgOf } from './init-cfg.ts';
import { parseModes } from './modes.ts';
import { bundles, stageProduct } from './stage.ts';
import { file, mergeTrees, symbolicLink, type TreeEntry, text } from './tree.ts';

/** What the product is composed from. */
export interface ProductOrder {
  readonly repository: string;
  readonly dist: string;
  readonly store: string;
  readonly root: 'image' | 'stock';
  /** Seconds since 1970 for every time in the output; null means 0 there and no time in the bill of materials. */
  readonly epoch: number | null;
}

/** The product, whole and checked. */
export interface Product {
  readonly version: string;
  /** Sorted, parents first; only what is the product's own, no directory that a board has anyway. */
  readonly entries: readonly TreeEntry[];
  readonly bill: string;
  readonly contents: string;
}

/** Names by which the parts of iptables are called; one program answers to all of them. */
const iptablesNames = [
  'iptables',
  'iptables-save',
  'iptables-restore',
  'ip6tables',
  'ip6tables-save',
  'ip6tables-restore',
];

/** Composes the product with its bill of materials and its content manifest among its files. */
export async function composeProduct(order: ProductOrder): Promise<Product> {
  await requireBundles(order.dist);
  const { parts, installed } = await partsFromStore(order.store);
  await requireFittingParts(parts, { machine: 'aarch64', loaders: [] });
  const overlay = path.join(order.repository, 'sysroot-overlay');
  const staged = await stageProduct({ overlay, dist: order.dist, parts, root: order.root });
  const { version, license } = await readPackage(order.repository);
  const bill = billOfMaterials({
    version,
    licence: license,
    parts: installed,
    packageLock: await readFile(path.join(order.repository, 'package-lock.json'), 'utf8'),
    epoch: order.epoch,
  });
  const edgecore = installed['edgecore'];
  const own = [
    text(`${productDir}/sbom.cdx.json`, bill),
    ...(edgecore === undefined ? [] : [text(`${productDir}/kubeedge/version`, `v${edgecore.version}\n`)]),
    ...(installed['iptables'] === undefined ? [] : iptablesNames.map(iptablesLink)),
    ...(installed['pause'] === undefined ? [] : [pauseArchive(order.store)]),
  ];
  return describeProduct({ version, bill, overlay, tree: mergeTrees(staged, own) });
}

/** A staged tree and what is known of it. */
export interface StagedProduct {
  readonly version: string;
  readonly bill: string;
  readonly overlay: string;
  readonly tree: readonly TreeEntry[];
}

/** Adds the content manifest, and leaves out the directories that a board has anyway. */
export async function describeProduct({ version, bill, overlay, tree }: StagedProduct): Promise<Product> {
  const rows = parseModes(await readFile(path.join(overlay, 'MODES'), 'utf8'));
  const isOwn = (entry: TreeEntry): boolean =>
    entry.kind !== 'directory' ||
    entry.path.startsWith(`${productDir}/`) ||
    rows.some((row) => row.path === entry.path);
  const listed = tree.filter(isOwn);
  const contents = await contentManifest(listed, version);
  const entries = mergeTrees(listed, [text(contentsPath, contents)]).filter(isOwn);
  return { version, entries, bill, contents };
}

const contentsPath = `${productDir}/manifest.json`;

/** The product with the cfg that init of a release takes, and a content manifest that says so. */
export async function productFor(product: Product, release: Release): Promise<Product> {
  const listed = (await withCfgOf(product.entries, release)).filter(({ path: at }) => at !== contentsPath);
  const contents = await contentManifest(listed, product.version);
  const entries = [...listed, text(contentsPath, contents)].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { ...product, entries, contents };
}

function iptablesLink(name: string): TreeEntry {
  return symbolicLink(`${productDir}/docker/${name}`, 'xtables-legacy-multi');
}

/** Where the agent looks for it before it asks a registry (agent/edge/edge-places.ts). */
function pauseArchive(store: string): TreeEntry {
  return file(`${productDir}/pause.tar`, path.join(store, 'pause', 'pause.tar'), 0o644);
}

async function requireBundles(dist: string): Promise<void> {
  for (const name of bundles) {
    const bundle = path.join(dist, name);
    const isThere = await stat(bundle).then(
      (info) => info.isFile(),
      () => false,
    );
    if (!isThere)
      throw new AgentError('INPUT_INVALID', `Cannot make the image: no "${bundle}"; run: npm run build`);
  }
}

const packageSchema = v.object({ version: v.string(), license: v.string() });

async function readPackage(repository: string): Promise<v.InferOutput<typeof packageSchema>> {
  return v.parse(packageSchema, JSON.parse(await readFile(path.join(repository, 'package.json'), 'utf8')));
}
