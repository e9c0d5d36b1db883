import { pack } from 'tar-stream';

/** What the image is made of. */
export interface ImageParts {
  /** Static busybox of the board. */
  readonly busybox: Uint8Array;
  /** Architecture in Docker's words, e.g. `arm64`; dockerd refuses to run another one. */
  readonly architecture: string;
  /** Name with tag. */
  readonly name: string;
  /** What a container of it runs. @default busybox true */
  readonly command?: readonly string[];
}

interface Entry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly content?: Uint8Array | string;
  readonly mode?: number;
  readonly linkname?: string;
}

/** Where busybox lies in the image. */
export const busyboxPath = '/bin/busybox';

/**
 * Archive for POST /images/load with one layer: busybox, sh and empty directories. It has the manifest.json that
 * dockerd's graph drivers ask for; a pure OCI layout is not enough for them (moby image/tarexport/load.go).
 */
export async function makeImage({ busybox, architecture, name, ...rest }: ImageParts): Promise<Uint8Array> {
  const layer = await tar([
    ...['bin/', 'dev/', 'etc/', 'proc/', 'sys/', 'tmp/'].map(
      (folder): Entry => ({ name: folder, type: 'directory' }),
    ),
    { name: 'bin/busybox', type: 'file', content: busybox, mode: 0o755 },
    { name: 'bin/sh', type: 'symlink', linkname: 'busybox' },
  ]);
  const layerHash = await sha256(layer);
  const config = JSON.stringify({
    architecture,
    os: 'linux',
    config: { Cmd: rest.command ?? [busyboxPath, 'true'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerHash}`] },
    history: [{ created_by: 'oh-edge-agent self-test' }],
  });
  const configFile = `${await sha256(new TextEncoder().encode(config))}.json`;
  const layerFile = `${layerHash}/layer.tar`;
  const manifest = JSON.stringify([{ Config: configFile, RepoTags: [name], Layers: [layerFile] }]);
  return tar([
    { name: configFile, type: 'file', content: config },
    { name: `${layerHash}/`, type: 'directory' },
    { name: layerFile, type: 'file', content: layer },
    { name: 'manifest.json', type: 'file', content: manifest },
  ]);
}

async function tar(entries: readonly Entry[]): Promise<Uint8Array> {
  const archive = pack();
  // The same input gives the same bytes on every board, so that a loaded image is recognised.
  // oxlint-disable-next-line no-restricted-globals -- a fixed instant, no clock is asked
  const mtime = new Date(0);
  for (const { content = '', mode, linkname, ...entry } of entries) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const link = linkname === undefined ? {} : { linkname };
    const header = { ...entry, ...link, mtime, mode: mode ?? (entry.type === 'file' ? 0o644 : 0o755) };
    archive.entry(header, bytes);
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return join(chunks);
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
