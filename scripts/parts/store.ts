import { chmod, copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { AgentError, errnoOf } from '../../agent/core/agent-error.ts';
import { makeDirectories } from '../../agent/host/make-directories.ts';
import type { ArchiveLimits } from '../../agent/host/read-archive.ts';
import { checkFiles } from './check-files.ts';
import { fileSum } from './file-sum.ts';
import { type InstalledPart, type Lock, readLock, type SeenRecord, writeLock } from './lock-file.ts';
import { type Part, type PartFile, partId } from './part.ts';
import { modeOf, unpackTarGz, usualLimits } from './unpack.ts';

/** A folder with one version of each part, their lock file, and the downloads they came from. */
export class PartStore {
  readonly folder: string;
  readonly #limits: ArchiveLimits;
  #lock: Lock;
  #saving: Promise<void> = Promise.resolve();

  private constructor(folder: string, lock: Lock, limits: ArchiveLimits) {
    this.folder = folder;
    this.#lock = lock;
    this.#limits = limits;
  }

  /** Opens a store, and makes the folder where there is none. */
  static async open(folder: string, limits: ArchiveLimits = usualLimits): Promise<PartStore> {
    try {
      makeDirectories(path.join(folder, 'downloads'));
      await sweep(folder);
    } catch (error) {
      throw new AgentError(
        'FILE_FAILED',
        `Cannot keep parts in "${folder}": ${errnoOf(error) ?? 'failed'}; name a folder that may be written with --into`,
        { cause: error },
      );
    }
    return new PartStore(folder, await readLock(folder), limits);
  }

  /** Where a download is kept under its name at its maker. */
  downloadPath(fileName: string): string {
    return path.join(this.folder, 'downloads', fileName);
  }

  /** What this download was when it was first taken. */
  seen(part: Part): SeenRecord | undefined {
    return this.#lock.seen[partId(part)];
  }

  installed(name: string): InstalledPart | undefined {
    return this.#lock.installed[name];
  }

  /** Notes what a download is, for every later one. */
  async remember(part: Part, record: SeenRecord): Promise<void> {
    await this.#change({ ...this.#lock, seen: { ...this.#lock.seen, [partId(part)]: record } });
  }

  /**
   * Puts the files of a part in place of those of another version: into a fresh folder first, checked there, and moved
   * only when everything is right.
   */
  async install(part: Part, origin: PartOrigin): Promise<void> {
    const draft = path.join(this.folder, `.new-${part.name}-${process.pid}`);
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft);
    try {
      await this.#fill(draft, part, origin);
      const problems = await checkFiles(draft, part.files);
      if (problems.length > 0) throw unfit(part, problems);
      const files = await describeFiles(draft, part.files);
      await this.#swap(draft, part.name);
      const { version } = part;
      const entry = { version, source: origin.sha256, vouchedBy: origin.vouchedBy, files };
      await this.#change({ ...this.#lock, installed: { ...this.#lock.installed, [part.name]: entry } });
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }

  async #fill(draft: string, part: Part, origin: PartOrigin): Promise<void> {
    if (origin.kind === 'archive') {
      const { mayHoldLinks } = origin;
      await unpackTarGz(origin.path, draft, { files: part.files, limits: this.#limits, mayHoldLinks });
      return;
    }
    for (const file of part.files) {
      const source = origin.paths[file.to];
      if (source === undefined) throw unfit(part, [`${file.to} was not given`]);
      await copyFile(source, path.join(draft, file.to)).catch((error: unknown) => {
        throw new AgentError(
          'INPUT_INVALID',
          `Cannot take "${source}": ${errnoOf(error) ?? 'failed'}; name a readable file`,
          { cause: error },
        );
      });
      await chmod(path.join(draft, file.to), modeOf(file));
    }
  }

  async #swap(draft: string, name: string): Promise<void> {
    const place = path.join(this.folder, name);
    const old = `${place}.old-${process.pid}`;
    const hadOld = await rename(place, old).then(
      () => true,
      () => false,
    );
    await rename(draft, place);
    if (hadOld) await rm(old, { recursive: true, force: true });
  }

  /** Downloads end in any order; their notes are written one after the other. */
  async #change(lock: Lock): Promise<void> {
    this.#lock = lock;
    this.#saving = this.#saving.then(async () => writeLock(this.folder, this.#lock));
    await this.#saving;
  }
}

/** What a part is installed from. */
export type PartOrigin = {
  readonly sha256: string | null;
  readonly vouchedBy: InstalledPart['vouchedBy'];
} & (
  | { readonly kind: 'archive'; readonly path: string; readonly mayHoldLinks: boolean }
  | { readonly kind: 'files'; readonly paths: Readonly<Record<string, string>> }
);

const draftPattern = /^(?:\.new-.+-|.+\.old-|parts\.lock\.json\.)(\d+)$/;

/** Removes what runs that were killed left half done. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = draftPattern.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid)))
      await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

function unfit(part: Part, problems: readonly string[]): AgentError {
  const own = part.name === 'edgecore' ? '; or hand in your own static build: parts add edgecore FILE' : '';
  return new AgentError('INPUT_INVALID', `Cannot use ${partId(part)}: ${problems.join('; ')}${own}`);
}

async function describeFiles(folder: string, files: readonly PartFile[]): Promise<InstalledPart['files']> {
  const rows: [string, { sha256: string; size: number }][] = [];
  for (const { to } of [...files].sort((a, b) => (a.to < b.to ? -1 : 1))) {
    const file = path.join(folder, to);
    rows.push([to, { sha256: await fileSum(file, 'sha256'), size: (await stat(file)).size }]);
  }
  return Object.fromEntries(rows);
}
