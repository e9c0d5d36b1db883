import type { Files } from '../core/files.ts';

/** Where dockerd remembers its networks and who is attached to them. */
export function networkDatabase(dataRoot: string): string {
  return `${dataRoot}/network/files/local-kv.db`;
}

/**
 * Whether dockerd will find none of its networks: it takes a missing or empty database for a new one. As long as a container
 * runs it then makes not even its default networks again (moby daemon/daemon_unix.go initNetworkController), and no container
 * starts any more, on the network `none` neither; seen with 20.10.24. Another file in the place of the database may be the way
 * of another release: nothing is said of that.
 */
export async function hasLostNetworks(files: Files, dataRoot: string): Promise<boolean> {
  const path = networkDatabase(dataRoot);
  // Whatever is more than nothing is too large here.
  const text = await files.read(path, 0).catch(() => 'something');
  if (text !== undefined) return text === '';
  const hasDirectory = (await files.list(`${dataRoot}/network`)).includes('files');
  const names = await files.list(path.slice(0, path.lastIndexOf('/')));
  return hasDirectory && names.every((name) => name.includes('.db.broken-'));
}
