import { messageOf } from '../core/agent-error.ts';
import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { EdgeExecutor } from './edge-executor.ts';
import type { EdgePlaces } from './edge-places.ts';
import type { EdgeStep } from './edge-plan.ts';
import { type EdgeUnits, isActive, statusOf } from './edge-units.ts';
import { JoinJournal, type JoinNotes } from './join-journal.ts';
import { type NodeRecord, type NodeRecords, nodeRecordFiles } from './node-record.ts';
import { needsManagedCri } from './runtime-choice.ts';
import { restoreSnapshot, takeSnapshot } from './snapshot.ts';

/** What a backup is taken and put back with. */
export interface BackupPorts {
  readonly files: Files;
  readonly log: Log;
  readonly places: EdgePlaces;
  readonly records: NodeRecords;
  readonly executor: EdgeExecutor;
  readonly units: () => EdgeUnits;
}

/** Everything that a join changes as it was before; on disk, so that the next agent can put it back too. */
export class JoinBackup {
  readonly #ports: BackupPorts;
  readonly #journal: JoinJournal;
  #notes: JoinNotes;

  private constructor(ports: BackupPorts, notes: JoinNotes) {
    this.#ports = ports;
    this.#journal = new JoinJournal(ports.files, ports.places.stateDir);
    this.#notes = notes;
  }

  /** Remembers what the steps of a join will change. */
  static async take(
    ports: BackupPorts,
    record: NodeRecord | undefined,
    steps: readonly EdgeStep[],
  ): Promise<JoinBackup> {
    const files = await takeSnapshot(ports.files, touched(ports.places));
    const moves = steps.filter((step) => step.kind === 'move-file').map(({ from, to }) => ({ from, to }));
    await dropLeftovers(ports.files, moves);
    const backup = new JoinBackup(ports, { isDone: false, node: record?.node, files, moves });
    await backup.#journal.write(backup.#notes);
    return backup;
  }

  /** The backup of a join that an earlier agent did not bring to its end. */
  static async find(ports: BackupPorts): Promise<JoinBackup | undefined> {
    const notes = await new JoinJournal(ports.files, ports.places.stateDir).read();
    return notes === undefined ? undefined : new JoinBackup(ports, notes);
  }

  /** Whether all steps were done, so that only the cloud's answer is missing. */
  get isDone(): boolean {
    return this.#notes.isDone;
  }

  /** Notes that all steps were done. */
  async complete(): Promise<void> {
    await this.#note({ ...this.#notes, isDone: true });
  }

  /** Takes the join back, and starts edgecore again where the board was a node before. */
  async restore(): Promise<void> {
    const { files, log, units, executor, records } = this.#ports;
    const { node, moves } = this.#notes;
    const failed = (error: unknown): void => log.warn('edge.undo-failed', { error: messageOf(error) });
    const hadCri = this.#needsCri();
    // What is half put back after a power cut must not count as joined.
    await this.#note({ ...this.#notes, isDone: false }).catch(failed);
    const steps = statusOf(units(), 'edgecore') === undefined ? [] : [stop];
    const nothing = { program: undefined, settings: undefined, token: undefined };
    await executor
      .run(steps, nothing, new AbortController().signal)
      .then(() => moveBack(files, moves))
      .catch(failed);
    // A disk that refuses must not keep a node down that worked before.
    await restoreSnapshot(files, this.#notes.files).catch(failed);
    await records.read().catch(failed);
    await this.#journal.remove().catch(failed);
    // What dockerd was started for since may be the other way round now; containers go on (live-restore).
    if (this.#needsCri() !== hadCri && isActive(units(), 'dockerd')) {
      try {
        units().restartUnit('dockerd');
      } catch (error) {
        failed(error);
      }
    }
    if (node !== undefined && records.current !== undefined) units().startUnit('edgecore');
    log.info('edge.join-undone', { node });
  }

  #needsCri(): boolean {
    const { records, places } = this.#ports;
    return records.current !== undefined && needsManagedCri(records.current.runtime, places);
  }

  /** Removes what is kept only for a join that is taken back. */
  async discard(): Promise<void> {
    await this.#journal.remove();
    for (const { to } of this.#notes.moves) await this.#ports.files.remove(to);
  }

  async #note(notes: JoinNotes): Promise<void> {
    await this.#journal.write(notes);
    this.#notes = notes;
  }
}

/**
 * Puts moved files back, the database, which is the first, last: as long as it lies away, what has the old names belongs to
 * the new database, unless that is gone already. So it may be cut short anywhere and done again.
 */
async function moveBack(files: Files, moves: JoinNotes['moves']): Promise<void> {
  const [database] = moves;
  if (database === undefined || !(await exists(files, database.to))) return;
  const isOther = await exists(files, database.from);
  const backwards = moves.toReversed();
  if (isOther) for (const { from } of backwards) await files.remove(from);
  for (const { from, to } of backwards) await files.move(to, from);
}

async function exists(files: Files, path: string): Promise<boolean> {
  const slash = path.lastIndexOf('/');
  return (await files.list(path.slice(0, slash))).includes(path.slice(slash + 1));
}

/**
 * What a join that a power cut ended had moved away is old where there is a database again: put back, it would bring back
 * pods of long ago, or a journal that is of another database.
 */
async function dropLeftovers(files: Files, moves: JoinNotes['moves']): Promise<void> {
  const [database] = moves;
  if (database === undefined || !(await exists(files, database.from))) return;
  for (const { to } of moves) await files.remove(to);
}

const stop: EdgeStep = { kind: 'stop-edgecore', id: 'stop', what: 'stop edgecore', why: 'The join failed.' };

function touched({
  stateDir,
  configFile,
  bootstrapFile,
  caFile,
  certFile,
  keyFile,
}: EdgePlaces): readonly string[] {
  // The copy of the record first, as in `NodeRecords.remove`.
  const state = [...nodeRecordFiles.toReversed(), 'edgecore.base.json', 'edgecore.good.yaml'].map(
    (name) => `${stateDir}/${name}`,
  );
  return [configFile, bootstrapFile, caFile, certFile, keyFile, ...state];
}
