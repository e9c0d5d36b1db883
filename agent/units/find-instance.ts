import type { RunningProcess } from '../core/process.ts';
import type { UnitSpec } from '../core/unit-spec.ts';
import type { AdoptionRecords } from './adoption-record.ts';
import type { UnitPorts } from './unit-ports.ts';

/**
 * Finds the process of a unit that an earlier agent left: by its record first, else by looking for its program among all
 * processes, because the agent may have died between start and record. So a unit never runs twice.
 */
export async function findInstance(
  spec: Pick<UnitSpec, 'name' | 'programs' | 'isInstance'>,
  ports: Pick<UnitPorts, 'processes' | 'log' | 'board'>,
  records: AdoptionRecords,
): Promise<RunningProcess | undefined> {
  const { processes, log, board } = ports;
  const record = await records
    .read(spec.name, (aside) => {
      log.warn('unit.record-broken', { unit: spec.name, aside });
      board.record('unit.record-broken', { unit: spec.name, aside });
    })
    .catch(() => undefined);
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
  return undefined;
}
