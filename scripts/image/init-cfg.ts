import { readFile } from 'node:fs/promises';
import { AgentError } from '../../agent/core/agent-error.ts';
import { cfgForRelease } from '../cfg/cfg-for-release.ts';
import type { Release } from '../cfg/release.ts';
import { type TreeEntry, text } from './tree.ts';

/** Where init finds the cfg of the product. */
export const cfgPath = '/system/etc/init/oh_edge_agent.cfg';

/** Text of the product's cfg. Throws BUG for a tree without one. */
export async function readCfg(entries: readonly TreeEntry[]): Promise<string> {
  const entry = entries.find(({ path: at }) => at === cfgPath);
  if (entry?.kind === 'text') return entry.content;
  if (entry?.kind === 'file') return readFile(entry.source, 'utf8');
  throw new AgentError('BUG', `Cannot make the image: the product has no ${cfgPath}`);
}

/** The tree with another text in its cfg; owner and mode stay. */
export function withCfg(entries: readonly TreeEntry[], content: string): TreeEntry[] {
  return entries.map((entry) =>
    entry.path === cfgPath
      ? { ...text(cfgPath, content), mode: entry.mode, uid: entry.uid, gid: entry.gid }
      : entry,
  );
}

/** The tree with the cfg that init of a release takes; a release that takes ours as it is changes nothing. */
export async function withCfgOf(entries: readonly TreeEntry[], release: Release): Promise<TreeEntry[]> {
  const original = await readCfg(entries);
  const adapted = cfgForRelease(original, release);
  return adapted === original ? [...entries] : withCfg(entries, adapted);
}
