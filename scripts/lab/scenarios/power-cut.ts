import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntilReady } from './agent.ts';
import type { Scenario } from './scenario.ts';

/** How often the power goes; OEA_LAB_CUTS asks for more. */
const defaultCuts = 3;
/** The cut comes at a random moment of the boot and of the first ground work, in milliseconds after the shell answers. */
const latestCutMs = 30_000;

/** The whole machine is killed at random moments; the next boot must come up ready without help. */
export const powerCut: Scenario = {
  summary: 'power cuts at random moments, each followed by a boot that gets ready by itself',
  run: async ({ boot, progress, logs }) => {
    const start = { dataDisk: path.join(logs, 'userdata.img') };
    const cuts = Number(process.env['OEA_LAB_CUTS'] ?? defaultCuts);
    for (let cut = 1; cut <= cuts; cut += 1) {
      const board = await boot({ start });
      const afterMs = Math.floor(Math.random() * latestCutMs);
      await progress.step(`power cut ${cut} of ${cuts}, ${afterMs} ms after boot`, async () => {
        await sleep(afterMs);
        await board.kill9();
      });
      const next = await boot({ start });
      await progress.step('the next boot gets ready', () => waitUntilReady(next));
      if (cut < cuts) await next.kill9();
      else await progress.step('power off', () => next.powerOff());
    }
  },
};
