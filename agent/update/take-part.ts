import { AgentError } from '../core/agent-error.ts';
import type { Files } from '../core/files.ts';
import type { PartDisk } from '../core/part-disk.ts';
import type { Taken } from '../core/part-intake.ts';
import { imageSlot, isSlot, type PartRecord, type Slot } from './part-record.ts';
import type { PartStore, SlotFacts } from './part-store.ts';
import type { PartKind } from './part-table.ts';
import { type VerifyPorts, verifyDraft } from './verify-draft.ts';

/** What is to be taken, and what its giver says about it. */
export interface TakeOrder {
  /** Absolute path. */
  readonly file: string;
  readonly sha256?: string | undefined;
  readonly version?: string | undefined;
}

/** What the work is done with. */
export interface TakePorts extends VerifyPorts {
  readonly disk: PartDisk;
  readonly files: Files;
}

/** A draft that was found good: it lies in the draft folder and has no place yet. */
export interface GoodDraft {
  readonly slot: Slot;
  readonly facts: SlotFacts;
  readonly notes: readonly string[];
}

interface Job {
  readonly kind: PartKind;
  readonly store: PartStore;
  readonly record: PartRecord;
  readonly nowMs: number;
  readonly isDryRun: boolean;
}

/** Room in bytes that must be left on the disk whatever is taken: logs, databases and images need to breathe. */
const reserveBytes = 33_554_432;
/** Most bytes that a part may have when unpacked. */
const maxPartBytes = 1_073_741_824;

/** Puts what was handed in into the draft folder and verifies it. Rejects with PART_REFUSED and leaves no draft behind. */
export async function takePart(
  order: TakeOrder,
  job: Job,
  ports: TakePorts,
  signal: AbortSignal,
): Promise<GoodDraft> {
  const { store } = job;
  const maxBytes = await requireRoom(order.file, job, ports);
  await store.beginDraft();
  try {
    return await fillDraft({ order, job, ports, maxBytes }, signal);
  } catch (error) {
    await store.dropDraft().catch(() => undefined);
    throw error;
  }
}

interface Filling {
  readonly order: TakeOrder;
  readonly job: Job;
  readonly ports: TakePorts;
  readonly maxBytes: number;
}

async function fillDraft({ order, job, ports, maxBytes }: Filling, signal: AbortSignal): Promise<GoodDraft> {
  const { kind, store } = job;
  const taken = await ports.intake.take(
    {
      file: order.file,
      folder: store.draft,
      wanted: kind.wanted,
      single: { to: kind.main, mode: kind.ruleOf(kind.main) === 'script' ? 0o644 : 0o755 },
      mayHoldLinks: kind.mayHoldLinks,
      maxBytes,
    },
    signal,
  );
  requireSum(order, taken);
  const files = await completeDraft(taken, job, ports);
  const folder = store.draft;
  const { problems, version, notes } = await verifyDraft({ kind, folder, names: Object.keys(files) }, ports);
  if (problems.length > 0) throw refused(order.file, problems.join('; '));
  const named = agreedVersion(order, version);
  await noteVersion(named, files, job, ports);
  const facts: SlotFacts = {
    version: named,
    sha256: taken.sha256,
    source: order.file.slice(order.file.lastIndexOf('/') + 1).slice(0, 100),
    atMs: job.nowMs,
    files,
  };
  return { slot: slotName(named, taken.sha256), facts, notes };
}

/** Looks before anything is written; returns how many bytes may be. What the last change left to go back to is given up for room. */
async function requireRoom(file: string, job: Job, { disk, intake }: TakePorts): Promise<number> {
  const { store, record, isDryRun } = job;
  const { claimedBytes } = await intake.look(file);
  const want = claimedBytes + reserveBytes;
  let free = await disk.freeBytes(store.root);
  if (!isDryRun && free < want && record.former !== undefined && record.former !== imageSlot) {
    // It would be collected after the change in any case.
    await disk.removeTree(store.folderOf(record.former));
    free = await disk.freeBytes(store.root);
  }
  if (free >= want) return Math.min(maxPartBytes, free - reserveBytes);
  throw refused(
    file,
    `it needs ${megabytes(want)} MB below ${store.root}, ${megabytes(free)} MB are free; free some space`,
  );
}

function requireSum({ file, sha256 }: TakeOrder, taken: Taken): void {
  if (sha256 === undefined || sha256.toLowerCase() === taken.sha256) return;
  throw refused(file, `its SHA-256 is ${taken.sha256}, want ${sha256.toLowerCase()}; take another copy`);
}

/** A single program replaces one of a set: the others stay those that are in use. */
async function completeDraft(taken: Taken, job: Job, { disk }: TakePorts): Promise<Record<string, number>> {
  const { kind, store, record } = job;
  const files = Object.fromEntries(taken.files);
  if (taken.kind === 'archive') {
    const missing = kind.needed.filter((name) => !taken.files.has(name));
    if (missing.length === 0) return files;
    throw new AgentError(
      'PART_REFUSED',
      `Cannot take the archive: it does not hold ${missing.join(', ')}; take ${kind.what}`,
    );
  }
  const known = record.current === imageSlot ? undefined : await store.factsOf(record.current);
  for (const [name, size] of Object.entries(known?.files ?? {})) {
    // The version of the old program would be said of the new one.
    if (name in files || kind.ruleOf(name) === 'text' || name.includes('/')) continue;
    await disk.shareFile(`${store.folderOf(record.current)}/${name}`, `${store.draft}/${name}`);
    files[name] = size;
  }
  return files;
}

/** The version that was found, or given where none was; the two must not differ. */
function agreedVersion({ file, version }: TakeOrder, found: string | undefined): string | undefined {
  const given = version?.replace(/^v/, '');
  if (given === undefined || found === undefined || isSameVersion(given, found)) return found ?? given;
  throw refused(file, `it is version ${found}, want ${given}; leave --version away or take the right file`);
}

/** What was found out once, or given by hand, is there for everybody who looks at the program later. */
async function noteVersion(
  version: string | undefined,
  present: Record<string, number>,
  { kind, store }: Job,
  { files }: TakePorts,
): Promise<void> {
  const { versionFile } = kind;
  if (versionFile === undefined || version === undefined || versionFile in present) return;
  const text = `v${version}\n`;
  await files.replace(`${store.draft}/${versionFile}`, text, { mode: 0o644 });
  present[versionFile] = text.length;
}

/** Distributions add to a version: 20.10.24 is also 20.10.24+dfsg1. */
function isSameVersion(given: string, found: string): boolean {
  return found === given || (found.startsWith(given) && /^[+~-]/.test(found.slice(given.length)));
}

/** Readable, and never the same for two different files. */
function slotName(version: string | undefined, sha256: string): Slot {
  const sum = sha256.slice(0, 12);
  const readable = (version ?? '').replaceAll(/[^0-9A-Za-z.+_-]/g, '-').slice(0, 40);
  const name = readable === '' ? sum : `${readable}-${sum}`;
  return isSlot(name) ? name : sum;
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1_000_000);
}

function refused(file: string, problem: string): AgentError {
  return new AgentError('PART_REFUSED', `Cannot take "${file}": ${problem}`);
}
