import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Benchmark, type Context, isRowWanted } from './benchmark.ts';
import { end } from './launch.ts';
import { processesUsing } from './processes.ts';
import { evaluate, type Result } from './result.ts';
import { Stage } from './stage.ts';

/** What all benchmarks of a run share. */
export type Shared = Omit<Context, 'stage'>;

/** A benchmark that could not be carried through. */
export interface Failure {
  readonly benchmark: string;
  readonly message: string;
}

/** Everything a run brought. */
export interface Outcome {
  readonly results: readonly Result[];
  readonly failures: readonly Failure[];
}

/** Runs benchmarks one after the other and keeps the rows that were asked for; a broken one does not stop the others. */
export async function runBenchmarks(
  benchmarks: readonly Benchmark[],
  words: readonly string[],
  shared: Shared,
): Promise<Outcome> {
  const results: Result[] = [];
  const failures: Failure[] = [];
  // Below /tmp and short: the path of a Unix socket may have 107 bytes.
  const root = mkdtempSync(path.join(os.tmpdir(), 'bench-'));
  const leave = async (): Promise<void> => {
    await sweep(root, shared.say);
    rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  };
  const interrupted = (): void => {
    leave().then(
      () => process.exit(130),
      () => process.exit(130),
    );
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    for (const benchmark of benchmarks) {
      const scratch = path.join(root, benchmark.name.slice(0, 3));
      mkdirSync(scratch);
      const stage = new Stage(scratch);
      try {
        const measurements = await benchmark.run({ ...shared, stage });
        results.push(
          ...measurements.map(evaluate).filter(({ group }) => isRowWanted(benchmark, group, words)),
        );
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        failures.push({ benchmark: benchmark.name, message });
        shared.say(`${benchmark.name} failed: ${message}`);
      } finally {
        await stage.clear();
        await sweep(scratch, shared.say);
      }
    }
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    await leave();
  }
  return { results, failures };
}

/** Ends what a benchmark left running: exactly the processes that use its folder. */
async function sweep(folder: string, say: (text: string) => void): Promise<void> {
  const left = processesUsing(folder);
  if (left.length > 0) say(`ending ${left.length} processes that were left in ${folder}`);
  for (const pid of left) await end(pid, 'SIGKILL');
}
