import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthBoard } from '../../agent/health/board.ts';
import { OwnMemory } from '../../agent/health/own-memory.ts';
import { flashHealth } from '../../agent/health/pressure.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const mebibyte = 1_048_576;

/** Which looks of a series ended the agent, and what the board says then. */
function after(sizes: readonly number[]): { readonly ended: number; readonly status: string | undefined } {
  const board = new HealthBoard(new FakeClock());
  let ended = 0;
  const own = new OwnMemory({
    board,
    log: new QuietLog(),
    maxBytes: 100 * mebibyte,
    exceeded: () => {
      ended += 1;
    },
  });
  for (const size of sizes) own.look(size * mebibyte);
  return { ended, status: board.get('AgentMemoryPressure')?.status };
}

test('an agent that grows for a moment stays, one that remains too large ends once', () => {
  assert.deepEqual(after([50, 120, 120, 80]), { ended: 0, status: 'false' });
  assert.deepEqual(after([50, 120, 120, 120, 120, 120]), { ended: 1, status: 'true' });
});

test('the condition ends well below the bound, not at it', () => {
  assert.deepEqual(after([101, 95]), { ended: 0, status: 'true' });
  assert.deepEqual(after([101, 89]), { ended: 0, status: 'false' });
});

test('nobody waits for an agent that has twice its share', () => {
  assert.deepEqual(after([201]), { ended: 1, status: 'true' });
});

test('flash that is nearly used up is told with its device, and nothing where no device tells', () => {
  assert.equal(flashHealth([]), undefined);
  const good = flashHealth([{ device: 'mmcblk0', usedLifePercent: 20, reserve: 'normal' }]);
  assert.equal(good?.isWorn, false);
  const worn = flashHealth([{ device: 'mmcblk0', usedLifePercent: 90, reserve: undefined }]);
  assert.deepEqual(
    [worn?.isWorn, worn?.message],
    [
      true,
      'mmcblk0: at most 90 % of its life used, reserve unknown; save what matters and replace the module',
    ],
  );
});
