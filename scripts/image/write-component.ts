import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { productDir } from '../../agent/core/constants.ts';
import { parseProcessList } from '../cfg/build-check.ts';
import { checkCfg } from '../cfg/check-cfg.ts';
import { type Release, releases } from '../cfg/release.ts';
import { buildGn, bundleJson, dacLines, prebuiltFiles } from './component-gn.ts';
import { installText } from './component-install-text.ts';
import { componentNames } from './component-names.ts';
import { contextOf, domainTe, fileContexts, needs, type Secon } from './component-selinux.ts';
import { contentManifest } from './content-manifest.ts';
import { cfgPath, readCfg, withCfg } from './init-cfg.ts';
import type { Product } from './product.ts';
import { mergeTrees, type TreeEntry, text } from './tree.ts';

const contentsPath = `${productDir}/manifest.json`;

/** How the part is made. */
export interface ComponentWishes {
  readonly secon: Secon;
  /** Release whose cfg the product has; undefined for all since 3.2. */
  readonly release?: Release | undefined;
}

/** The part's folder as a tree whose root is the folder. */
export async function componentTree(product: Product, wishes: ComponentWishes): Promise<TreeEntry[]> {
  const { secon, release } = wishes;
  const cfg = await cfgText(product, secon);
  const processList = `${JSON.stringify({ high_privilege_process_list: [{ name: componentNames.service, uid: 'root' }] }, null, 2)}\n`;
  requireCleanCfg(cfg, processList, release);
  const kept = withKeepers(
    product.entries.filter((entry) => isBelowSystem(entry) && entry.path !== contentsPath),
  );
  const changed = withCfg(kept, cfg);
  const rootDirectories = product.entries.filter((entry) => !isBelowSystem(entry));
  const contents = await contentManifest(mergeOwn(changed, rootDirectories), product.version);
  const files = [...changed, text(contentsPath, contents)];
  const prebuilts = files
    .filter(({ kind }) => kind === 'file' || kind === 'text')
    .map((entry) => ({ ...entry, path: `/prebuilts${entry.path}`, uid: 0, gid: 0 }));
  const all = [...files, ...rootDirectories];
  return mergeTrees(prebuilts, [
    text('/BUILD.gn', buildGn(prebuiltFiles(files))),
    text('/bundle.json', bundleJson(product.version)),
    text('/dac.txt', dacLines(mergeOwn(all))),
    text('/high_privilege_process_list.json', processList),
    text('/root_directories.txt', `${rootDirectories.map((entry) => entry.path.slice(1)).join('\n')}\n`),
    text('/sepolicy/public/type.te', typeTexts().types),
    text(`/sepolicy/system/${componentNames.domain}.te`, typeTexts().rules),
    text('/sepolicy/system/file_contexts', fileContexts),
    text('/sepolicy/NEEDS.txt', needs),
    text(
      '/INSTALL.md',
      installText({
        version: product.version,
        secon,
        release,
        rootDirectories: rootDirectories.map((entry) => entry.path),
      }),
    ),
    text('/manifest.json', contents),
    text('/sbom.cdx.json', product.bill),
  ]);
}

/** Types are public, so that other policies may name them; what is allowed to them is not. */
function typeTexts(): { readonly types: string; readonly rules: string } {
  const lines = domainTe.split('\n');
  const isType = (line: string): boolean => line.startsWith('type ');
  return {
    types: `${[lines[0], ...lines.filter(isType)].join('\n')}\n`,
    rules: lines.filter((line) => !isType(line)).join('\n'),
  };
}

function isBelowSystem({ path: at }: TreeEntry): boolean {
  return at.startsWith('/system/');
}

function mergeOwn(...trees: readonly (readonly TreeEntry[])[]): TreeEntry[] {
  return trees.flat().sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The build makes folders only for files in them, so an empty one gets an empty file; a mount hides it. */
function withKeepers(entries: readonly TreeEntry[]): TreeEntry[] {
  const isEmpty = ({ path: at }: TreeEntry): boolean =>
    !entries.some((other) => other.path.startsWith(`${at}/`));
  const empty = entries.filter((entry) => entry.kind === 'directory' && isEmpty(entry));
  return mergeOwn(
    entries,
    empty.map((entry) => text(path.posix.join(entry.path, '.keep'), '')),
  );
}

/** The cfg of the product with the wanted context. */
async function cfgText(product: Product, secon: Secon): Promise<string> {
  const original = await readCfg(product.entries);
  const changed = original.replace(/("secon"\s*:\s*)"[^"]*"/, `$1"${contextOf(secon)}"`);
  if (changed.includes(contextOf(secon))) return changed;
  throw new AgentError('BUG', `Cannot make the part: ${cfgPath} has no "secon"`);
}

/** OpenHarmony says nothing about a bad cfg, so a part with one is never written. */
function requireCleanCfg(cfg: string, processList: string, release: Release | undefined): void {
  const source = {
    path: cfgPath,
    text: cfg,
    bytes: Buffer.byteLength(cfg),
    processList: parseProcessList(processList, 'high_privilege_process_list.json'),
  };
  const checked = release === undefined ? releases.filter((one) => one !== '3.1') : [release];
  const bad = checkCfg(source, checked).filter(({ severity }) => severity !== 'hint');
  if (bad.length === 0) return;
  const list = bad.map(({ rule, path: at }) => `${rule} at ${at}`).join(', ');
  throw new AgentError(
    'INPUT_INVALID',
    `Cannot make the part: its cfg has ${list}; see npm run cfg -- check`,
  );
}
