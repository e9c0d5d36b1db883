import type { Processes, ProcessIdentity } from '../core/process.ts';
import { AdoptionRecords } from './adoption-record.ts';
import type { UnitPorts } from './unit-ports.ts';

const suffix = '.json';

/**
 * Tells of processes that an earlier agent ran as units and that the configuration no longer declares. They run on with
 * nobody to watch them; ending them is left to a person, because a configuration may also lose its units by accident.
 */
export async function tellForgotten(
  declared: ReadonlySet<string>,
  { files, processes, board, log, recordDir }: UnitPorts,
): Promise<void> {
  const records = new AdoptionRecords(files, recordDir);
  const names = (await files.list(recordDir)).filter((name) => name.endsWith(suffix));
  for (const unit of names.map((name) => name.slice(0, -suffix.length))) {
    if (declared.has(unit)) continue;
    const record = await records.read(unit, () => undefined);
    if (record !== undefined && (await isRunning(record.identity, processes))) {
      const { pid } = record.identity;
      log.warn('unit.forgotten', { unit, pid });
      board.record('unit.forgotten', { unit, pid });
    } else await records.remove(unit);
  }
}

async function isRunning(
  { pid, startTicks, bootId, exe }: ProcessIdentity,
  processes: Processes,
): Promise<boolean> {
  const facts = await processes.facts(pid);
  if (facts?.exe !== exe || facts.startTicks !== startTicks) return false;
  return (await processes.identify(facts, exe)).bootId === bootId;
}
