import * as v from 'valibot';
import type { Files } from '../core/files.ts';
import type { Snapshot } from './snapshot.ts';

const shape = v.object({
  version: v.literal(1),
  isDone: v.boolean(),
  node: v.nullable(v.string()),
  files: v.array(v.tuple([v.string(), v.nullable(v.string())])),
  moves: v.array(v.object({ from: v.string(), to: v.string() })),
});

/** How everything was before a join, and how far the join has come. */
export interface JoinNotes {
  /** Whether all steps were done, so that only the cloud's answer is missing; else the join is to be taken back. */
  readonly isDone: boolean;
  /** Node that the board was before; undefined where it was none. */
  readonly node: string | undefined;
  readonly files: Snapshot;
  /** Files that the steps give another name. */
  readonly moves: readonly { readonly from: string; readonly to: string }[];
}

/** Several texts of edgecore.yaml, certificates and records. */
const maxBytes = 8_388_608;

/**
 * The notes on disk, from before the first step of a join until it is clear that it holds: a power cut in between would leave
 * a board of the old cluster without its certificate and its database.
 */
export class JoinJournal {
  readonly #files: Files;
  readonly #directory: string;
  readonly #path: string;

  constructor(files: Files, stateDir: string) {
    this.#files = files;
    this.#directory = stateDir;
    this.#path = `${stateDir}/join.before.json`;
  }

  /** Notes that an earlier agent left; a file that is none is set aside. */
  async read(): Promise<JoinNotes | undefined> {
    const text = await this.#files.read(this.#path, maxBytes);
    if (text === undefined) return undefined;
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), shape), text);
    if (!parsed.success) {
      await this.#files.setAside(this.#path);
      return undefined;
    }
    const { isDone, node, files, moves } = parsed.output;
    const snapshot = new Map(files.map(([path, content]) => [path, content ?? undefined]));
    return { isDone, node: node ?? undefined, files: snapshot, moves };
  }

  /** Only its owner may read it: the key of the node is in it. */
  async write({ isDone, node, files, moves }: JoinNotes): Promise<void> {
    const texts = [...files].map(([path, text]) => [path, text ?? null]);
    const notes = { version: 1, isDone, node: node ?? null, files: texts, moves };
    await this.#files.makeDirectory(this.#directory, 0o700);
    await this.#files.replace(this.#path, `${JSON.stringify(notes)}\n`, { mode: 0o600 });
  }

  async remove(): Promise<void> {
    await this.#files.remove(this.#path);
  }
}
