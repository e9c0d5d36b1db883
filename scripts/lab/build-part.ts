import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { directory, mergeTrees, symbolicLink, type TreeEntry } from '../image/tree.ts';

/**
 * What OpenHarmony's build makes of a part: the lab's stand-in for ninja and the image builder. Prebuilt files go where
 * BUILD.gn says, modes come from the builder's table with the part's lines behind it, folders only from files in them
 * and from the list for the root (openharmony/build templates/cxx/prebuilt.gni, ohos/images/build_image.py,
 * ohos/images/mkimage/dac.txt, 6.0).
 */
export function buildPart(part: readonly TreeEntry[]): TreeEntry[] {
  const contentOf = (name: string): string => {
    const entry = part.find(({ path: at }) => at === name);
    if (entry?.kind === 'text') return entry.content;
    throw new AgentError('FILE_FAILED', `Cannot build the part: it has no ${name}`);
  };
  const installed = [...contentOf('/BUILD.gn').matchAll(targetPattern)].flatMap(([, block = '']) =>
    installTarget(block, part),
  );
  const roots = contentOf('/root_directories.txt').split('\n').filter(Boolean);
  const tree = mergeTrees(
    installed,
    roots.map((name) => directory(`/${name}`)),
  );
  const rules = parseDac(contentOf('/dac.txt'));
  return tree.map((entry) => ({ ...entry, ...(rules.get(entry.path) ?? builderMode(entry)) }));
}

const targetPattern = /^ohos_prebuilt_(?:executable|etc)\("\w+"\) \{\n([\s\S]*?)^\}/gm;

/** One file and the links beside it that lead to it; their owner and mode come later. */
function installTarget(block: string, part: readonly TreeEntry[]): TreeEntry[] {
  const source = word(block, 'source');
  const folder = `/system/${word(block, 'module_install_dir')}`;
  if (word(block, 'install_images', '[ "') !== 'system' || !/^ {2}install_enable = true$/m.test(block)) {
    throw new AgentError('FILE_FAILED', `Cannot build the part: ${source} is not installed into the image`);
  }
  const entry = part.find(({ path: at }) => at === `/${source}`);
  if (entry === undefined)
    throw new AgentError('FILE_FAILED', `Cannot build the part: ${source} is not there`);
  const base = path.posix.basename(source);
  const links = /^ {2}symlink_target_name = \[ (.*) \]$/m.exec(block)?.[1] ?? '';
  const others = [...links.matchAll(/"([^"]+)"/g)].map(([, name = '']) =>
    symbolicLink(`${folder}/${name}`, base),
  );
  return [{ ...entry, path: `${folder}/${base}` }, ...others];
}

function word(block: string, key: string, opening = '"'): string {
  const start = block.indexOf(`  ${key} = ${opening}`);
  const from = start + `  ${key} = ${opening}`.length;
  if (start === -1) throw new AgentError('FILE_FAILED', `Cannot build the part: a target has no ${key}`);
  return block.slice(from, block.indexOf('"', from));
}

interface Mode {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

function parseDac(text: string): Map<string, Mode> {
  const rows = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    rows.map((row): [string, Mode] => {
      const [at = '', mode = '', uid = '', gid = ''] = row.split(',').map((cell) => cell.trim());
      return [`/${at}`, { mode: Number.parseInt(mode, 8), uid: Number(uid), gid: Number(gid) }];
    }),
  );
}

/** Rows of the builder's own dac.txt that concern a part, and its defaults. */
function builderMode({ kind, path: at }: TreeEntry): Mode {
  const folder = path.posix.dirname(at);
  if (kind === 'link') return { mode: 0o777, uid: 0, gid: 0 };
  if (at === '/system/bin') return { mode: 0o751, uid: 0, gid: 2000 };
  if (at === '/system/etc/init' || folder === '/system/etc/init') return { mode: 0o500, uid: 0, gid: 0 };
  if (folder === '/system/bin') return { mode: 0o755, uid: 0, gid: 2000 };
  return { mode: kind === 'directory' ? 0o755 : 0o644, uid: 0, gid: 0 };
}
