import type { RunningProcess } from '../core/process.ts';
import type { UnitSpec } from '../core/unit-spec.ts';
import type { AdoptionRecords } from './adoption-record.ts';
import type { UnitPorts } from './unit-ports.ts';

type Sought = Pick<UnitSpec, 'name' | 'programs' | 'isInstance'>;
type Ports = Pick<UnitPorts, 'processes' | 'log' | 'board'>;

/** Searches that a record which cannot be read makes fail; the supervision tries again every ten seconds. */
const patientSearches = 3;

/** The search for the process that an earlier agent left, until it was done once. */
export class InstanceSearch {
  readonly #given: readonly [Sought, Ports, AdoptionRecords];
  #tries = 0;
  #isDone = false;

  constructor(...given: readonly [Sought, Ports, AdoptionRecords]) {
    this.#given = given;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** The process, or undefined where there is none. Rejects where nobody can tell just now. */
  async find(): Promise<RunningProcess | undefined> {
    this.#tries += 1;
    // A block of flash that is lost for good must not keep the board without its unit.
    const found = await findInstance(...this.#given, this.#tries > patientSearches);
    this.#isDone = true;
    return found;
  }
}

/**
 * Finds the process of a unit that an earlier agent left: by its record first, else by looking for its program among all
 * processes, because the agent may have died between start and record. So a unit never runs twice. Rejects where nothing is
 * found and the record cannot be read just now, unless that `mayBeMissed`.
 */
async function findInstance(
  spec: Sought,
  ports: Ports,
  records: AdoptionRecords,
  mayBeMissed: boolean,
): Promise<RunningProcess | undefined> {
  const { processes, log, board } = ports;
  let unreadable: Error | undefined;
  const record = await records
    .read(spec.name, (aside) => {
      log.warn('unit.record-broken', { unit: spec.name, aside });
      board.record('unit.record-broken', { unit: spec.name, aside });
    })
    .catch((error: unknown) => {
      log.warn('unit.record-unreadable', { unit: spec.name, error });
      unreadable = error as Error;
      return undefined;
    });
  if (record !== undefined) {
    const recorded = await processes.adopt(record.identity);
    if (recorded !== undefined) return recorded;
  }
  const found = await processes.findByProgram(spec.programs);
  // A child of the unit may run the same program; the unit itself is the oldest.
  for (const facts of [...found].sort((a, b) => a.startTicks - b.startTicks)) {
    if (!spec.isInstance(facts) || facts.exe === undefined) continue;
    const adopted = await processes.adopt(await processes.identify(facts, facts.exe));
    if (adopted !== undefined) return adopted;
  }
  if (unreadable !== undefined && !mayBeMissed) throw unreadable;
  return undefined;
}
