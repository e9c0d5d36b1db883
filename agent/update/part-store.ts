import type { Files } from '../core/files.ts';
import type { PartDisk } from '../core/part-disk.ts';
import {
  decodePartRecord,
  encodePartRecord,
  imageSlot,
  isSlot,
  type PartRecord,
  type Slot,
  untouched,
} from './part-record.ts';
import type { PartName } from './part-table.ts';

/** What is written beside the files of a slot, before it becomes one. */
export interface SlotFacts {
  readonly version: string | undefined;
  /** SHA-256 of the file that was handed in. */
  readonly sha256: string;
  /** Name of the file that was handed in, without its folder. */
  readonly source: string;
  /** Wall-clock milliseconds. */
  readonly atMs: number;
  /** Size of each file in bytes: what a power cut could have cost. */
  readonly files: Readonly<Record<string, number>>;
}

/** What a store works with. */
export interface StorePorts {
  readonly files: Files;
  readonly disk: PartDisk;
}

const factsFile = 'part.json';
const recordFile = 'record';
/** Counts starts of an agent on trial; the start script writes it. */
const startsFile = 'starts';
const draftFolder = '.draft';
const links = ['current', 'former'] as const;

/**
 * Folder of one part on the disk: a slot for each version that is kept, and the record that says which one counts. The
 * links `current` and `former` follow the record; they are for whoever looks for a program, and are put right at each start.
 */
export class PartStore {
  readonly root: string;
  readonly #ports: StorePorts;

  constructor(home: string, part: PartName, ports: StorePorts) {
    this.root = `${home}/parts/${part}`;
    this.#ports = ports;
  }

  /** Folder that files are put into before they become a slot. */
  get draft(): string {
    return `${this.root}/${draftFolder}`;
  }

  folderOf(slot: Slot): string {
    return `${this.root}/${slot}`;
  }

  /** The record, and where an unreadable one was put; a part that was never changed has none. */
  async read(): Promise<{ readonly record: PartRecord; readonly aside?: string }> {
    const { files } = this.#ports;
    const path = `${this.root}/${recordFile}`;
    const text = await files.read(path);
    if (text === undefined) return { record: untouched };
    const record = decodePartRecord(text);
    if (record !== undefined) return { record };
    const aside = await files.setAside(path);
    return { record: untouched, ...(aside === undefined ? {} : { aside }) };
  }

  /** A record from the links alone, where the written one was lost: whatever is in use stays in use. */
  async readLinks(): Promise<PartRecord> {
    const [current, former] = await Promise.all(
      links.map(async (name) => {
        const slot = await this.#ports.disk.linkTarget(`${this.root}/${name}`);
        return slot !== undefined && isSlot(slot) && (await this.isWhole(slot)) ? slot : undefined;
      }),
    );
    return current === undefined ? untouched : { ...untouched, current, former };
  }

  /** Writes the record, which is the switch, then lets the links follow. */
  async write(record: PartRecord): Promise<void> {
    const { files, disk } = this.#ports;
    await disk.makeFolder(this.root);
    await files.replace(`${this.root}/${recordFile}`, encodePartRecord(record), { mode: 0o644 });
    await this.followRecord(record);
  }

  /** Puts the links right. */
  async followRecord(record: PartRecord): Promise<void> {
    const { disk } = this.#ports;
    for (const name of links) {
      const slot = record[name];
      const path = `${this.root}/${name}`;
      const target = await disk.linkTarget(path);
      if (slot === undefined || slot === imageSlot) {
        if (target !== undefined) await disk.removeTree(path);
      } else if (target !== slot) await disk.pointLink(path, slot);
    }
  }

  /** Makes the draft folder, empty. */
  async beginDraft(): Promise<void> {
    const { disk } = this.#ports;
    await disk.removeTree(this.draft);
    await disk.makeFolder(this.draft);
  }

  async dropDraft(): Promise<void> {
    await this.#ports.disk.removeTree(this.draft);
  }

  /** Writes the draft to the disk and makes it a slot. One of that name with other files is replaced. */
  async keepDraft(slot: Slot, facts: SlotFacts): Promise<void> {
    const { files, disk } = this.#ports;
    if ((await this.isWhole(slot)) && isSameSet(facts, await this.factsOf(slot))) {
      await this.dropDraft();
      return;
    }
    await disk.removeTree(this.folderOf(slot));
    await files.replace(`${this.draft}/${factsFile}`, `${JSON.stringify({ version: 1, facts })}\n`);
    await disk.syncFolder(this.draft);
    await disk.rename(this.draft, this.folderOf(slot));
  }

  /** What was written about a slot; undefined where it is none. Rejects where that cannot be read just now: it may be whole. */
  async factsOf(slot: Slot): Promise<SlotFacts | undefined> {
    const text = await this.#ports.files.read(`${this.folderOf(slot)}/${factsFile}`);
    return text === undefined ? undefined : parseFacts(text);
  }

  /** Reports whether every file of a slot is there with its size. The image's part counts as whole. */
  async isWhole(slot: Slot): Promise<boolean> {
    if (slot === imageSlot) return true;
    const facts = await this.factsOf(slot);
    if (facts === undefined) return false;
    const folder = this.folderOf(slot);
    const sizes = await Promise.all(
      Object.entries(facts.files).map(
        async ([name, size]) => (await this.#ports.disk.sizeOf(`${folder}/${name}`)) === size,
      ),
    );
    return sizes.every(Boolean);
  }

  /** Removes everything that the record does not speak of: older slots, drafts, temporary files. */
  async collect({ current, former, older }: PartRecord): Promise<void> {
    const { files, disk } = this.#ports;
    const kept = new Set<string | undefined>([current, former, older, recordFile, startsFile, ...links]);
    for (const name of await files.list(this.root)) {
      if (kept.has(name) || name.includes('.broken-')) continue;
      await disk.removeTree(`${this.root}/${name}`);
    }
  }

  /** Forgets how often an agent on trial was started. */
  async forgetStarts(): Promise<void> {
    await this.#ports.files.remove(`${this.root}/${startsFile}`);
  }
}

function isSameSet({ files }: SlotFacts, known: SlotFacts | undefined): boolean {
  const names = Object.keys(files);
  const isEach = names.every((name) => known?.files[name] === files[name]);
  return isEach && names.length === Object.keys(known?.files ?? {}).length;
}

function parseFacts(text: string): SlotFacts | undefined {
  try {
    const { version, facts } = JSON.parse(text) as { version?: unknown; facts?: Partial<SlotFacts> };
    const isWhole = version === 1 && typeof facts?.sha256 === 'string' && typeof facts.files === 'object';
    return isWhole ? (facts as SlotFacts) : undefined;
  } catch {
    return undefined;
  }
}
