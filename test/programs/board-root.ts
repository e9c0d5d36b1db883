import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { productDir } from '../../agent/core/constants.ts';

/** A root as OpenHarmony's image builder makes it (build_image.py), `image` with the mount points of our overlay. */
export interface BoardRoot {
  readonly layout: 'image' | 'stock' | 'host';
  /** Static busybox of this machine. */
  readonly busybox: string;
  /** Empty directory that becomes the root. */
  readonly directory: string;
}

/** How a tool ended. */
export interface ToolEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function tool(file: string, ...args: readonly string[]): ToolEnd {
  const ended = spawnSync(file, args, { encoding: 'utf8', env: {} });
  return { code: ended.status, stdout: ended.stdout ?? '', stderr: ended.stderr ?? String(ended.error) };
}

/** Builds the root and makes it the root of this mount namespace, which must be one of our own. `fill` adds files before it turns read-only. */
export function enterBoardRoot(root: BoardRoot, fill: () => void = () => undefined): void {
  const must = (...args: readonly string[]): void => {
    const ended = tool(root.busybox, ...args);
    if (ended.code !== 0) throw new Error(`busybox ${args.join(' ')}: ${ended.code} ${ended.stderr}`);
  };
  must('mount', '-t', 'tmpfs', 'rig', root.directory);
  process.chdir(root.directory);
  for (const name of [
    'config',
    'dev',
    'proc',
    'sys',
    'system',
    'vendor',
    'data',
    'storage',
    'mnt',
    'tmp',
    'old',
  ]) {
    mkdirSync(name);
  }
  for (const name of ['bin', 'etc', 'lib']) {
    mkdirSync(`system/${name}`);
    symlinkSync(`/system/${name}`, name);
  }
  mkdirSync(`.${productDir}/bin`, { recursive: true });
  copyFileSync(root.busybox, `.${productDir}/bin/busybox`);
  writeFileSync('system/etc/passwd', 'root:x:0:0:::/bin/false\n');
  writeFileSync('system/etc/resolv.conf', 'nameserver 114.114.114.114\n');
  if (root.layout !== 'stock') addMountPoints();
  fill();
  must('mount', '-o', 'rbind', '/dev', 'dev');
  must('mount', '-t', 'proc', 'proc', 'proc');
  must('mount', '-t', 'sysfs', 'sysfs', 'sys');
  must('mount', '-t', 'tmpfs', '-o', 'nosuid,nodev', 'data', 'data');
  must('mount', '-t', 'tmpfs', '-o', 'nosuid', 'mnt', 'mnt');
  if (root.layout !== 'host') must('mount', '-o', 'remount,ro,bind', root.directory);
  must('pivot_root', '.', 'old');
  process.chdir('/');
  const ended = tool(`${productDir}/bin/busybox`, 'umount', '-l', '/old');
  if (ended.code !== 0) throw new Error(`umount: ${ended.stderr}`);
}

function addMountPoints(): void {
  for (const name of ['run', 'var', 'opt', 'usr', 'root']) mkdirSync(name);
  for (const name of ['docker', 'cni/net.d', 'kubeedge'])
    mkdirSync(`system/etc/${name}`, { recursive: true });
  writeFileSync('system/etc/machine-id', '');
}
