import type { DockerApi } from '../core/docker.ts';
import type { Files } from '../core/files.ts';
import { listContainers } from './docker-containers.ts';

/** A container whose record is ruined: dockerd knows nothing of it, though it may still run. */
export interface LostContainer {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** File that nobody can read. */
  readonly record: string;
}

const listMs = 5_000;

/**
 * Containers that dockerd has silently left out at its start, because one of their records is no JSON ("failed to load
 * container" in its log, seen with 20.10.24; moby container/container.go FromDisk). It leaves out those of another storage
 * driver too: their records are whole, and nothing is said of them.
 */
export async function findLostContainers(
  { docker, files }: { readonly docker: DockerApi; readonly files: Files },
  dataRoot: string,
  signal: AbortSignal,
): Promise<readonly LostContainer[]> {
  const folder = `${dataRoot}/containers`;
  // Before dockerd is asked: what is made meanwhile is not among them.
  const ids = (await files.list(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  if (ids.length === 0) return [];
  const all = await listContainers(docker, { isAll: true, timeoutMs: listMs }, signal);
  const known = new Set(all.map(({ id }) => id));
  const lost: LostContainer[] = [];
  for (const id of ids) {
    if (known.has(id)) continue;
    const record = await findRuined(files, [
      `${folder}/${id}/config.v2.json`,
      `${folder}/${id}/hostconfig.json`,
    ]);
    if (record !== undefined) lost.push({ id, record });
  }
  return lost;
}

/** A file that is not there, or that cannot be read just now, is not ruined. */
async function findRuined(files: Files, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const text = await files.read(path).catch(() => undefined);
    if (text !== undefined && !isJson(text)) return path;
  }
  return undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
