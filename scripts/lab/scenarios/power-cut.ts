import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntilReady } from './agent.ts';
import type { Scenario } from './scenario.ts';

/** How often the power goes where nobody says. */
const defaultCuts = 3;
/**
 * The cut comes at a random moment of boot, ground work and dockerd's first start, in milliseconds after the shell
 * answers: the agent applies its steps in the first half of it.
 */
const latestCutMs = 20_000;

/** The whole machine is killed at random moments; the next boot must come up ready without help. */
export const powerCut: Scenario = {
  summary:
    'power cuts at random moments (--times, --seed), each followed by a boot that gets ready by itself',
  run: async ({ boot, progress, logs, times, seed }) => {
    const start = { dataDisk: path.join(logs, 'userdata.img') };
    const cuts = times ?? defaultCuts;
    const chosen = seed ?? Math.floor(Math.random() * 2 ** 31);
    const random = randomFrom(chosen);
    progress.say(`--times ${cuts} --seed ${chosen} chooses the same moments again`);
    for (let cut = 1; cut <= cuts; cut += 1) {
      const board = await boot({ start });
      // Chance within a share of its own for each cut, so that a few are spread and many leave no gap.
      const afterMs = Math.floor(((cut - 1 + random()) / cuts) * latestCutMs);
      await progress.step(`power cut ${cut} of ${cuts}, ${afterMs} ms after boot`, async () => {
        await sleep(afterMs);
        await board.kill9();
      });
      const next = await boot({ start });
      await progress.step('the next boot gets ready', () => waitUntilReady(next));
      // A cut of a board that is ready, every time but the last: the boot after it has running units to clean up after.
      if (cut < cuts) await next.kill9();
      else await progress.step('power off', () => next.powerOff());
    }
  },
};

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
