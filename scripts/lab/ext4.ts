import { rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TreeEntry, writeTree } from '../image/tree.ts';
import { runCommand } from './command.ts';

const mebibyte = 1024 * 1024;

/**
 * Makes an ext4 image that holds a tree with its modes and owners. Works without root: mke2fs takes the content from a
 * folder, debugfs then sets what the folder cannot carry.
 */
export async function makeExt4(image: string, label: string, entries: readonly TreeEntry[]): Promise<void> {
  const folder = `${image}.tree`;
  await rm(folder, { recursive: true, force: true });
  await writeTree(entries, folder);
  const used = await runCommand('du', ['-sm', '--apparent-size', folder]);
  const sizeMiB = Math.ceil(Number.parseInt(used, 10) * 1.08) + 24;
  await writeFile(image, '');
  await truncate(image, sizeMiB * mebibyte);
  // No journal: these images are only ever mounted read-only.
  const options = [
    '-q',
    '-F',
    '-t',
    'ext4',
    '-b',
    '4096',
    '-O',
    '^has_journal',
    '-m',
    '0',
    '-L',
    label,
    '-d',
    folder,
  ];
  await runCommand('mke2fs', [...options, image]);
  await debugfs(image, ownership(entries));
  await rm(folder, { recursive: true, force: true });
}

/** Puts files and directories onto an ext4 disk that exists, e.g. what a board is delivered with on /data. */
export async function addToExt4(image: string, entries: readonly TreeEntry[]): Promise<void> {
  const folder = `${image}.tree`;
  await rm(folder, { recursive: true, force: true });
  await writeTree(entries, folder);
  const lines = entries.map((entry) =>
    entry.kind === 'directory'
      ? `mkdir ${entry.path}`
      : `write ${path.resolve(folder, `.${entry.path}`)} ${entry.path}`,
  );
  await debugfs(image, [...lines, ownership(entries)].join('\n'));
  await rm(folder, { recursive: true, force: true });
}

async function debugfs(image: string, input: string): Promise<void> {
  const problems = await runCommand('debugfs', ['-w', '-f', '-', image], { input });
  if (/not found|Invalid|error/i.test(problems.replace(/^debugfs:.*$/gm, ''))) throw new Error(problems);
}

/** Commands for debugfs that give every entry its owner and mode. */
function ownership(entries: readonly TreeEntry[]): string {
  const kinds = { directory: 0o040000, file: 0o100000, text: 0o100000, link: 0o120000 };
  const lines = entries.flatMap((entry) => [
    `set_inode_field ${entry.path} uid ${entry.uid}`,
    `set_inode_field ${entry.path} gid ${entry.gid}`,
    `set_inode_field ${entry.path} mode 0${(kinds[entry.kind] | entry.mode).toString(8)}`,
  ]);
  return ['set_inode_field / uid 0', 'set_inode_field / gid 0', ...lines, ''].join('\n');
}

/** Makes the empty disk that /data starts from; sparse, so copying it costs next to nothing. */
export async function makeDataDisk(
  image: string,
  fileSystem: 'ext4' | 'f2fs',
  sizeMiB: number,
): Promise<void> {
  await writeFile(image, '');
  await truncate(image, sizeMiB * mebibyte);
  if (fileSystem === 'f2fs') {
    // Comes from the package f2fs-tools, which only this option needs.
    await runCommand('mkfs.f2fs', ['-q', '-l', 'userdata', '-O', 'extra_attr,sb_checksum,quota', image]);
    return;
  }
  const lazy = 'lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0';
  await runCommand('mke2fs', [
    '-q',
    '-F',
    '-t',
    'ext4',
    '-L',
    'userdata',
    '-J',
    'size=32',
    '-E',
    lazy,
    image,
  ]);
}

/** Copies a sparse disk without filling its holes. */
export async function copyDisk(from: string, to: string): Promise<void> {
  await runCommand('cp', ['--sparse=always', '--reflink=auto', from, path.resolve(to)]);
}
