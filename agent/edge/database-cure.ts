import type { Clock } from '../core/clock.ts';
import type { CloudProbe } from '../core/cloud-probe.ts';
import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { HealthBoard } from '../health/board.ts';
import type { EdgePlaces } from './edge-places.ts';
import { databaseFiles } from './edge-plan.ts';
import { inTime } from './join-look.ts';
import type { NodeRecord } from './node-record.ts';

/** What a cure needs. */
export interface DatabaseCurePorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly cloud: CloudProbe;
  readonly board: HealthBoard;
  readonly log: Log;
}

/**
 * Sets aside a database that edgecore cannot read, which is what a power cut may leave: the cloud sends everything in it
 * anew. Only while the cloud can be reached, because an edgecore that knows no pods removes the containers of all. Reports whether it was done.
 */
export async function cureDatabase(
  { clock, files, cloud, board, log }: DatabaseCurePorts,
  places: EdgePlaces,
  record: NodeRecord,
  signal: AbortSignal,
): Promise<boolean> {
  const { host, hubPort } = record.cloud;
  const hub = await inTime(clock, (until) => cloud.reach({ host, port: hubPort }, until), signal);
  if (!hub.ok) {
    log.warn('edgecore.database-waits', {
      message: `It is set aside once the cloud answers: ${hub.message}`,
    });
    return false;
  }
  const aside = await files.setAside(places.databaseFile);
  for (const file of databaseFiles(places)) await files.remove(file);
  if (aside !== undefined) board.record('edgecore.database-set-aside', { aside });
  log.warn('edgecore.database-set-aside', { aside });
  return true;
}

/** What was set aside of some files, or moved away for a join, and lies beside them. */
export async function filesSetAside(files: Files, of: readonly string[]): Promise<readonly string[]> {
  const found = of.map(async (file) => {
    const directory = file.slice(0, file.lastIndexOf('/'));
    const names = await files.list(directory).catch(() => []);
    return names
      .map((name) => `${directory}/${name}`)
      .filter((path) => path.startsWith(file) && /\.(?:broken-\d+|before)$/.test(path));
  });
  return (await Promise.all(found)).flat();
}
