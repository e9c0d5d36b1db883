import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { EdgeExecutor } from './edge-executor.ts';
import type { EdgePlaces } from './edge-places.ts';
import type { EdgeStep } from './edge-plan.ts';
import { type EdgeUnits, statusOf } from './edge-units.ts';
import { type NodeRecord, type NodeRecords, nodeRecordFiles } from './node-record.ts';
import { restoreSnapshot, type Snapshot, takeSnapshot } from './snapshot.ts';

/** What a backup is taken and put back with. */
export interface BackupPorts {
  readonly files: Files;
  readonly log: Log;
  readonly places: EdgePlaces;
  readonly records: NodeRecords;
  readonly executor: EdgeExecutor;
  readonly units: () => EdgeUnits;
}

type Move = Extract<EdgeStep, { kind: 'move-file' }>;

/** Everything that a join changes as it was before. */
export class JoinBackup {
  readonly #ports: BackupPorts;
  readonly #record: NodeRecord | undefined;
  readonly #snapshot: Snapshot;
  readonly #moves: readonly Move[];

  private constructor(ports: BackupPorts, record: NodeRecord | undefined, content: Content) {
    this.#ports = ports;
    this.#record = record;
    this.#snapshot = content.snapshot;
    this.#moves = content.moves;
  }

  /** Remembers what the steps of a join will change. */
  static async take(
    ports: BackupPorts,
    record: NodeRecord | undefined,
    steps: readonly EdgeStep[],
  ): Promise<JoinBackup> {
    const snapshot = await takeSnapshot(ports.files, touched(ports.places));
    const moves = steps.filter((step) => step.kind === 'move-file');
    await dropLeftovers(ports.files, moves);
    return new JoinBackup(ports, record, { snapshot, moves });
  }

  /** Takes the join back, and starts edgecore again where the board was a node before. */
  async restore(): Promise<void> {
    const { files, log, units, executor, records } = this.#ports;
    const back = this.#moves.map((move) => ({ ...move, from: move.to, to: move.from }));
    const steps = [...(statusOf(units(), 'edgecore') === undefined ? [] : [stop]), ...back];
    const nothing = { program: undefined, settings: undefined, token: undefined };
    const failed = (error: unknown): void => log.warn('edge.undo-failed', { error });
    await executor.run(steps, nothing, new AbortController().signal).catch(failed);
    // A disk that refuses must not keep a node down that worked before.
    await restoreSnapshot(files, this.#snapshot).catch(failed);
    await records.read().catch(failed);
    if (this.#record !== undefined) units().startUnit('edgecore');
    log.info('edge.join-undone', { node: this.#record?.node });
  }

  /** Removes what is kept only for a join that is taken back. */
  async discard(): Promise<void> {
    for (const { to } of this.#moves) await this.#ports.files.remove(to);
  }
}

/**
 * What a join that a power cut ended had moved away is old where there is a database again: put back, it would bring back
 * pods of long ago, or a journal that is of another database.
 */
async function dropLeftovers(files: Files, moves: readonly Move[]): Promise<void> {
  const [database] = moves;
  if (database === undefined) return;
  const slash = database.from.lastIndexOf('/');
  const names = await files.list(database.from.slice(0, slash));
  if (!names.includes(database.from.slice(slash + 1))) return;
  for (const { to } of moves) await files.remove(to);
}

interface Content {
  readonly snapshot: Snapshot;
  readonly moves: readonly Move[];
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
