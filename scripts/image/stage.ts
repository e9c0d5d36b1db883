import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { productDir } from '../../agent/core/constants.ts';
import type { Parts } from './check-parts.ts';
import { type ModeRow, parseModes } from './modes.ts';
import { file, mergeTrees, type TreeEntry } from './tree.ts';

/** What the build makes: the agent, the small program that starts it, and the command line. */
export const bundles = ['start.js', 'agent.js', 'agentctl.js'] as const;

/** Where the product's tree is composed from. */
export interface StageSources {
  /** The repository's sysroot-overlay: a path in it is the path on the board. */
  readonly overlay: string;
  /** Folder with the bundles. */
  readonly dist: string;
  readonly parts: Parts;
  /** `image`: with the mount points that the build puts into the root; `stock`: without them. */
  readonly root: 'image' | 'stock';
}

/** Composes everything that the product puts on a board, with modes and owners, as the table MODES says. */
export async function stageProduct(sources: StageSources): Promise<TreeEntry[]> {
  const rows = parseModes(await readFile(path.join(sources.overlay, 'MODES'), 'utf8'));
  const kept = rows.filter((row) => sources.root === 'image' || !row.isMountPoint);
  const overlaid = await listOverlay(sources.overlay);
  const stray = [...overlaid.keys()].filter((name) => !rows.some((row) => row.path === name));
  if (stray.length > 0) {
    throw new AgentError(
      'FILE_FAILED',
      `Cannot stage ${stray.join(', ')}: no row in sysroot-overlay/MODES; add one`,
    );
  }
  const built = builtFiles(sources);
  const entries = kept.map((row) => rowEntry(row, overlaid.get(row.path) ?? built.get(row.path)));
  return mergeTrees(entries, partEntries(sources.parts));
}

function builtFiles({ dist, parts }: StageSources): Map<string, string> {
  return new Map([
    ...bundles.map((name) => [`${productDir}/${name}`, path.join(dist, name)] as const),
    [`${productDir}/bin/busybox`, parts.busybox],
  ]);
}

function rowEntry(row: ModeRow, source: string | undefined): TreeEntry {
  const { path: target, mode, uid, gid } = row;
  if (row.kind === 'd') return { kind: 'directory', path: target, mode, uid, gid };
  if (source !== undefined) return { kind: 'file', path: target, mode, uid, gid, source };
  if (row.isMountPoint) return { kind: 'text', path: target, mode, uid, gid, content: '' };
  throw new AgentError('FILE_FAILED', `Cannot stage ${target}: neither the overlay nor the build has it`);
}

/** The folders runtime/ and docker/ hold whatever the chosen parts bring; MODES has no row for each of their files. */
function partEntries(parts: Parts): TreeEntry[] {
  const folder = (name: string, files: Readonly<Record<string, string>>): TreeEntry[] =>
    Object.entries(files).map(([base, source]) => file(`${productDir}/${name}/${base}`, source, 0o755));
  return [
    ...folder('runtime/bin', { node: parts.node }),
    ...folder('runtime/lib', parts.nodeLibraries),
    ...folder('docker', parts.docker),
    ...Object.entries(parts.further ?? {}).flatMap(([name, files]) => folder(name, files)),
  ];
}

async function listOverlay(overlay: string): Promise<Map<string, string>> {
  const found = await readdir(overlay, { recursive: true, withFileTypes: true });
  const files = found
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const named = files.map((name): [string, string] => [`/${path.relative(overlay, name)}`, name]);
  return new Map(named.filter(([target]) => target !== '/MODES'));
}
