import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { directory, file, symbolicLink, type TreeEntry, text } from '../image/tree.ts';
import { exists } from './cache.ts';
import type { LabProgram } from './programs.ts';
import { busyboxLinks, controlLinks, iptablesLinks, toyboxLinks } from './system-tools.ts';

/** What the two partitions of the system are made from. */
export interface SystemSources {
  /** Unpacked arm64 packages, with the loader path of dynamic programs already changed. */
  readonly packages: (name: string) => string;
  readonly program: (name: LabProgram) => string;
  /** The repository's test/lab/board: a path in it is the path on the board. */
  readonly boardFiles: string;
  /** Folder of the certificate authorities, or undefined. */
  readonly certificates: string | undefined;
}

/** Where the lab's own tools are; the product under test does not know this folder. */
const labFolder = '/vendor/lab';

/**
 * What keeps Debian's dynamic programs alive on a board without glibc. It lies below /system/lib because OpenHarmony's
 * mount sandbox shows that folder, and at a path of its own so that no other glibc program finds a loader by accident.
 */
export const labLibraryFolder = '/system/lib/lab';

/** Empty root directories that the image builder makes (openharmony/build ohos/images/build_image.py, 6.0). */
const rootFolders = `
  config dev proc sys updater system vendor data storage mnt tmp
  sys_prod chip_prod chip_ckm module_update eng_system eng_chipset`
  .trim()
  .split(/\s+/);

const rootLinks: Readonly<Record<string, string>> = {
  '/bin': '/system/bin',
  '/etc': '/system/etc',
  '/lib': '/system/lib',
  '/lib64': '/system/lib64',
  '/init': '/system/bin/init',
  '/chipset': '/vendor',
};

/** The system partition without the product: OpenHarmony's root, its tools as far as they exist for Debian, its /etc. */
export async function systemTree(
  sources: SystemSources,
  libraries: Readonly<Record<string, string>>,
  xtables: string,
): Promise<TreeEntry[]> {
  const extensions = (await readdir(xtables)).filter((name) => /^lib(xt|ipt|ip6t)_/.test(name));
  const lab = (name: string, source: string, mode = 0o755): TreeEntry =>
    file(`${labLibraryFolder}/${name}`, source, mode);
  const bin = (name: string, to: string): TreeEntry => symbolicLink(`/system/bin/${name}`, to);
  return [
    ...rootFolders.map((name) => directory(`/${name}`)),
    ...Object.entries(rootLinks).map(([name, target]) => symbolicLink(name, target)),
    directory('/system/lib'),
    directory('/system/lib64'),
    directory('/system/profile'),
    directory('/system/etc/init', 0o500),
    file('/system/bin/init', sources.program('init'), 0o755),
    file('/system/bin/begetctl', sources.program('begetctl'), 0o755),
    ...controlLinks.map((name) => bin(name, 'begetctl')),
    // OpenHarmony's sh is mksh; Debian builds it statically against musl.
    file('/system/bin/sh', sources.packages('usr/lib/aarch64-linux-musl/bin/mksh'), 0o755),
    file('/system/bin/toybox', sources.packages('bin/toybox'), 0o755),
    ...toyboxLinks.map((name) => bin(name, 'toybox')),
    ...busyboxLinks.map((name) => bin(name, `${labLibraryFolder}/busybox`)),
    ...iptablesLinks.map((name) => file(`/system/bin/${name}`, sources.program('iptables'), 0o755)),
    text('/system/etc/xtables.lock', ''),
    file('/system/bin/sa_main', sources.program('sa-main'), 0o755),
    lab('busybox', sources.packages('bin/busybox')),
    lab('xtables-legacy-multi', sources.packages('usr/sbin/xtables-legacy-multi')),
    ...extensions.map((name) => lab(`xtables/${name}`, path.join(xtables, name), 0o644)),
    ...Object.entries(libraries).map(([name, source]) => lab(name, source)),
    ...(await certificateBundle(sources.certificates)),
    ...(await boardFiles(sources.boardFiles, 'system')),
  ];
}

/** The vendor partition: the lab's configuration and tools. Paths are relative to the partition's own root. */
export async function vendorTree(sources: SystemSources, dataFileSystem: string): Promise<TreeEntry[]> {
  const folder = labFolder.slice('/vendor'.length);
  const fstab = `/dev/block/by-name/userdata /data ${dataFileSystem} discard,noatime,nosuid,nodev wait,check\n`;
  return [
    text('/etc/fstab.virt', fstab),
    directory('/etc/init'),
    file(`${folder}/bin/hdcd`, sources.program('hdcd'), 0o755),
    file(`${folder}/bin/dnsproxyd`, sources.program('dnsproxyd'), 0o755),
    file(`${folder}/bin/probe`, sources.program('probe'), 0o755),
    file(`${folder}/bin/busybox`, sources.packages('bin/busybox'), 0o755),
    file(`${folder}/bin/ip`, sources.packages('bin/ip'), 0o755),
    ...(await boardFiles(sources.boardFiles, 'vendor')).map((entry) => ({
      ...entry,
      path: entry.path.slice('/vendor'.length),
    })),
  ];
}

/** Files kept in the repository; what lies in a folder `bin` is executable. */
async function boardFiles(root: string, partition: 'system' | 'vendor'): Promise<TreeEntry[]> {
  const found = await readdir(path.join(root, partition), { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const source = path.join(entry.parentPath, entry.name);
      const target = `/${path.relative(root, source)}`;
      return file(target, source, path.basename(entry.parentPath) === 'bin' ? 0o755 : 0o644);
    });
}

/** 6.0 generates this file at build time; the authorities are Debian's. */
async function certificateBundle(folder: string | undefined): Promise<TreeEntry[]> {
  if (folder === undefined || !(await exists(folder))) return [];
  const names = (await readdir(folder)).filter((name) => name.endsWith('.crt')).sort();
  const texts = await Promise.all(names.map(async (name) => readFile(path.join(folder, name), 'utf8')));
  return [text('/system/etc/ssl/certs/cacert.pem', texts.join(''))];
}
