import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runToEnd } from './launch.ts';

/** Folder that holds a Debian package's files; undefined where it was never unpacked. */
export function unpackedFolder(cache: string, name: string): string | undefined {
  const folder = path.resolve(cache, name);
  return existsSync(folder) ? folder : undefined;
}

/**
 * Downloads and unpacks a Debian package unless that was done before; undefined where it cannot be had. Installing
 * supervisor or monit would start their services on the developer's machine.
 */
export async function unpackPackage(cache: string, name: string): Promise<string | undefined> {
  const folder = path.resolve(cache, name);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  try {
    await runToEnd(['apt-get', 'download', '-q', name], { cwd: fresh });
    const archive = readdirSync(fresh).find((file) => file.endsWith('.deb'));
    if (archive === undefined) return undefined;
    const { status } = await runToEnd(['dpkg-deb', '-x', archive, '.'], { cwd: fresh });
    if (status !== 0) return undefined;
    renameSync(fresh, folder);
    return folder;
  } catch {
    return undefined;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
