import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { openGiven } from '../../agent/host/given-file.ts';
import { mergeTrees, type TreeEntry } from './tree.ts';

/** How a tree becomes an ext4 file system. */
export interface Ext4Look {
  /** Seconds since 1970 for every time in it; e2fsprogs takes 0 for "now", so 0 is written as 1. */
  readonly epoch: number;
  /** System image to add the tree to; undefined for a file system that holds nothing else. */
  readonly base: string | undefined;
}

const blockBytes = 4096;
/** Names instead of chance: the same tree gives the same bytes. */
const names = [
  '-U',
  '6f682d65-6467-4a61-8765-6e7400000000',
  '-E',
  'hash_seed=6f682d65-6467-4a61-8765-6e7400000001,root_owner=0:0',
];

/**
 * Writes a tree as an ext4 file system, or adds it to a system image, with modes and owners and without root: the tools
 * of e2fsprogs write into the file itself. The file appears when it is whole and e2fsck finds nothing.
 */
export async function writeExt4(
  entries: readonly TreeEntry[],
  target: string,
  look: Ext4Look,
): Promise<void> {
  const draft = `${target}.${process.pid}`;
  const scratch = await mkdtemp(path.join(tmpdir(), 'ext4-'));
  const run = tools(Math.max(1, look.epoch));
  try {
    const bytes = await roomFor(entries);
    if (look.base === undefined) await makeEmpty(draft, bytes, run);
    else await growCopy(look.base, draft, bytes, run);
    const tree = mergeTrees(entries);
    const there = await existing(tree, draft, run);
    const own = new Set(entries.map((entry) => entry.path));
    const lines: string[] = [];
    for (const [index, entry] of tree.entries()) {
      // A folder that the image has and the product does not name is the image's own.
      if (there.has(entry.path) && !own.has(entry.path)) continue;
      lines.push(...(await commandsFor(entry, there.has(entry.path), path.join(scratch, String(index)))));
    }
    await debugfs(draft, lines, run);
    await run('e2fsck', ['-fn', draft]);
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Complaints of a tool; debugfs has them there even where it ends with 0. */
type Run = (program: string, args: readonly string[], input?: string) => Promise<readonly string[]>;

/** Runs tools with a clock that stands still. Throws TOOL_FAILED where one ends badly. */
function tools(epoch: number): Run {
  // e2fsck has a variable of its own for the time of its last check.
  const time = String(epoch);
  const env = { ...process.env, LC_ALL: 'C', E2FSPROGS_FAKE_TIME: time, E2FSCK_TIME: time };
  return async (program, args, input) => {
    const child = spawn(program, args, { env, stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
    });
    child.stdin.on('error', () => undefined).end(input);
    const end = await new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`${error.message}; install e2fsprogs`));
      child.once('close', (code, signal) => resolve(code === 0 ? '' : (signal ?? `exit status ${code}`)));
    });
    if (end === '') return said.split('\n').filter((line) => line.trim() !== '');
    throw new AgentError('TOOL_FAILED', `Cannot run ${program}: ${end}: ${said.trim().slice(-400)}`);
  };
}

/** Bytes that the tree takes: whole blocks, an inode each, and some for folders and maps. */
async function roomFor(entries: readonly TreeEntry[]): Promise<number> {
  let blocks = 256;
  for (const entry of entries) {
    const size =
      entry.kind === 'file'
        ? (await stat(entry.source)).size
        : entry.kind === 'text'
          ? Buffer.byteLength(entry.content)
          : 0;
    blocks += Math.ceil(size / blockBytes) + 2;
  }
  return Math.ceil(blocks * 1.05) * blockBytes;
}

async function makeEmpty(draft: string, bytes: number, run: Run): Promise<void> {
  await writeFile(draft, '');
  // Inodes and descriptors come on top; the smallest file system that mke2fs lays out well is a few megabytes.
  await truncate(draft, Math.ceil((bytes * 1.1 + 8 * 1_048_576) / blockBytes) * blockBytes);
  // No journal: a system partition is only ever mounted read-only.
  const look = ['-b', String(blockBytes), '-O', '^has_journal', '-m', '0', '-L', 'oh-edge-agent'];
  await run('mke2fs', ['-q', '-F', '-t', 'ext4', ...look, ...names, draft]);
}

async function growCopy(base: string, draft: string, bytes: number, run: Run): Promise<void> {
  await requireExt4(base);
  await copyFile(base, draft);
  const { size } = await stat(draft);
  await run('e2fsck', ['-fp', draft]);
  await truncate(draft, Math.ceil((size + bytes) / blockBytes) * blockBytes);
  await run('resize2fs', [draft]);
}

/** Magic of an ext file system at 1080, and of Android's sparse form at 0. */
async function requireExt4(base: string): Promise<void> {
  const head = Buffer.alloc(1082);
  const file = await openGiven(base).catch((error: unknown) => {
    throw new AgentError('INPUT_INVALID', `Cannot read "${base}"; name a system image`, { cause: error });
  });
  try {
    await file.read(head, 0, head.length, 0);
  } finally {
    await file.close();
  }
  if (head.readUInt16LE(1080) === 0xef53) return;
  const isSparse = head.readUInt32LE(0) === 0xed26ff3a;
  throw new AgentError(
    'INPUT_INVALID',
    `Cannot add to "${base}": ${isSparse ? 'it is in sparse form; convert it with simg2img' : 'it is no ext4 image'}`,
  );
}

async function existing(tree: readonly TreeEntry[], image: string, run: Run): Promise<Set<string>> {
  const said = await run(
    'debugfs',
    ['-f', '-', image],
    `${tree.map((entry) => `stat ${entry.path}`).join('\n')}\n`,
  );
  const missing = new Set(
    said.flatMap((line) => /^(\/\S+): File not found by ext2_lookup/.exec(line)?.[1] ?? []),
  );
  return new Set(tree.map((entry) => entry.path).filter((at) => !missing.has(at)));
}

/** Lines for debugfs that make one path; texts go through a file of their own. */
async function commandsFor(entry: TreeEntry, isThere: boolean, scratch: string): Promise<string[]> {
  const { path: at, mode, uid, gid } = entry;
  const owner = [`set_inode_field ${at} uid ${uid}`, `set_inode_field ${at} gid ${gid}`];
  const modeLine = (kind: number): string => `set_inode_field ${at} mode 0${(kind | mode).toString(8)}`;
  if (entry.kind === 'directory') return [...(isThere ? [] : [`mkdir ${at}`]), ...owner, modeLine(0o040000)];
  const remove = isThere ? [`rm ${at}`] : [];
  if (entry.kind === 'link') return [...remove, `symlink ${at} ${entry.target}`, ...owner];
  const source = entry.kind === 'file' ? path.resolve(entry.source) : scratch;
  if (entry.kind === 'text') await writeFile(scratch, entry.content);
  return [...remove, `write "${source}" ${at}`, ...owner, modeLine(0o100000)];
}

/** debugfs ends with 0 whatever went wrong, so everything that it says besides the usual counts as a failure. */
async function debugfs(image: string, lines: readonly string[], run: Run): Promise<void> {
  const said = await run('debugfs', ['-w', '-f', '-', image], `${lines.join('\n')}\n`);
  const bad = said.filter((line) => !/^debugfs \d/.test(line));
  if (bad.length === 0) return;
  throw new AgentError('TOOL_FAILED', `Cannot write the ext4 image: ${bad.slice(0, 4).join('; ')}`);
}
