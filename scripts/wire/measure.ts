import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import type { OutageDay, WirePerHour } from '../../test/fakes/report-day.ts';

/** What the reports of a board cost, an hour. */
export interface WireFigures {
  readonly quiet: WirePerHour;
  readonly outage: OutageDay;
  readonly crashLoop: WirePerHour;
}

/** What a board in steady state may cost in an hour. */
export const wireBounds = { messageBytes: 20_000, cloudBytes: 20_000, deviceWrites: 12 } as const;

/**
 * Lets the room of reports live through days with a fast clock, a real broker (Debian's mosquitto) and stand-ins for
 * edgecore and cloudcore, in a process of its own, and returns what went over the wires.
 */
export async function measureWire(): Promise<WireFigures> {
  const directory = await mkdtemp(path.join('build', 'wire-'));
  try {
    const outfile = path.join(directory, 'report-days.mjs');
    await build({
      entryPoints: ['test/programs/report-days.ts'],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      define: { __VERSION__: '"0.0.0-test"' },
      logLevel: 'warning',
    });
    const { stdout } = await promisify(execFile)(process.execPath, [outfile], { maxBuffer: 16_777_216 });
    return JSON.parse(stdout) as WireFigures;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
