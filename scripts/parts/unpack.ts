import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { AgentError, messageOf } from '../../agent/core/agent-error.ts';
import { type ArchiveLimits, readArchive } from '../../agent/host/read-archive.ts';
import type { PartFile } from './part.ts';

export const usualLimits: ArchiveLimits = { entries: 20_000, bytes: 1024 * 1024 * 1024 };

/** What is taken out of an archive and how strict it is looked at. */
export interface UnpackOrder {
  readonly files: readonly PartFile[];
  readonly limits: ArchiveLimits;
  /** Passes links over instead of refusing the archive; they are never made. */
  readonly mayHoldLinks: boolean;
}

/** Takes the wanted files out of a .tar.gz into an existing, empty folder; see `readArchive`. */
export async function unpackTarGz(archive: string, folder: string, order: UnpackOrder): Promise<void> {
  const { files, limits, mayHoldLinks } = order;
  const wanted = (name: string) => {
    const file = files.find(({ from }) => from === name);
    return file === undefined ? undefined : { to: file.to, mode: modeOf(file) };
  };
  const seen = await readArchive([createReadStream(archive), createGunzip()], folder, {
    limits,
    mayHoldLinks,
    wanted,
  }).catch((error: unknown) => {
    if (error instanceof AgentError) throw error;
    throw broken(archive, messageOf(error));
  });
  const missing = files.filter(({ to }) => !seen.has(to)).map(({ from }) => from);
  if (missing.length > 0) throw broken(archive, `it does not hold ${missing.join(', ')}`);
}

function broken(archive: string, problem: string): AgentError {
  return new AgentError(
    'INPUT_INVALID',
    `Cannot unpack "${path.basename(archive)}": ${problem}; take another copy`,
  );
}

/** Programs may be started, everything else is read only by intent. */
export function modeOf({ rule }: Pick<PartFile, 'rule'>): number {
  return rule === 'data' ? 0o644 : 0o755;
}
