import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { GroundStep } from '../../agent/core/ground-step.ts';
import { lookAtGround } from '../../agent/prep/look.ts';
import { planGround } from '../../agent/prep/plan.ts';
import { isOurRule } from '../../agent/prep/route-plan.ts';
import { oldRootPath } from '../../agent/prep/settings.ts';
import type { FakeGround } from '../fakes/fake-ground.ts';
import type { FakeMount } from '../fakes/fake-tree.ts';
import { machineOf, settingsOf, type World, worlds } from './worlds.ts';

const signal = new AbortController().signal;

async function stepsFor(ground: FakeGround, world: World): Promise<readonly GroundStep[]> {
  const settings = settingsOf(world);
  return planGround(await lookAtGround(ground, settings, signal), settings).steps;
}

/** Does a plan; optional steps may be refused, a refused required one is a fault of the plan. Returns what was refused. */
async function perform(ground: FakeGround, steps: readonly GroundStep[]): Promise<Set<string>> {
  const refused = new Set<string>();
  for (const step of steps) {
    try {
      await ground.execute(step);
    } catch (error) {
      if (step.isOptional !== true) throw error;
      refused.add(step.id);
    }
  }
  return refused;
}

/** A v1 controller that groups of cgroup2 hold cannot be mounted by anybody: no fault of the plan. */
function isPossible(world: World): boolean {
  return (
    world.unifiedAt === '' ||
    !world.controllers.some((row) => row.isEnabled && row.group > 0) ||
    world.unifiedControllers.length === 0
  );
}

test('whatever the board is like, one plan leads to the wanted state and the second is empty', async () => {
  await fc.assert(
    fc.asyncProperty(worlds.filter(isPossible), async (world) => {
      const ground = machineOf(world);
      const refused = await perform(ground, await stepsFor(ground, world));
      const left = (await stepsFor(ground, world)).filter((step) => !refused.has(step.id));
      assert.deepEqual(left, [], String(ground.tree));
      const inside = ground.tree.mounts.filter((mount) => mount.target.includes('/run/newroot'));
      assert.deepEqual(inside, [], 'the new root does not hold itself');
    }),
    { numRuns: 400 },
  );
});

test('an agent that died after any step goes on where it was', async () => {
  await fc.assert(
    fc.asyncProperty(worlds.filter(isPossible), fc.nat({ max: 90 }), async (world, diedAfter) => {
      const ground = machineOf(world);
      await perform(ground, (await stepsFor(ground, world)).slice(0, diedAfter));
      const refused = await perform(ground, await stepsFor(ground, world));
      const left = (await stepsFor(ground, world)).filter((step) => !refused.has(step.id));
      assert.deepEqual(left, [], String(ground.tree));
    }),
    { numRuns: 400 },
  );
});

/** The same board after its power was cut: only the disk of /data is as it was, and of what was written last any part may be lost. */
function rebooted(ground: FakeGround, world: World, lost: (index: number) => boolean): FakeGround {
  const next = machineOf(world);
  const { nodes } = next.tree.find('/data').mount.filesystem;
  const kept = [...ground.tree.find('/data').mount.filesystem.nodes];
  for (const [index, [path, node]] of kept.entries())
    nodes.set(path, node.kind === 'file' && lost(index) ? { ...node, text: '' } : node);
  return next;
}

test('a board whose power was cut after any step, with files lost on the way, comes up as if nothing had been', async () => {
  await fc.assert(
    fc.asyncProperty(
      worlds.filter(isPossible),
      fc.nat({ max: 90 }),
      fc.func(fc.boolean()),
      async (world, cutAfter, lost) => {
        const before = machineOf(world);
        await perform(before, (await stepsFor(before, world)).slice(0, cutAfter));
        const ground = rebooted(before, world, lost);
        const refused = await perform(ground, await stepsFor(ground, world));
        const left = (await stepsFor(ground, world)).filter((step) => !refused.has(step.id));
        assert.deepEqual(left, [], String(ground.tree));
        const id = ground.tree.text('/data/oh-edge-agent/fs/etc/machine-id');
        if (id !== undefined) assert.match(id, /^[0-9a-f]{32}\n$/);
      },
    ),
    { numRuns: 300 },
  );
});

test('a plan takes nothing away that is not ours', async () => {
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      const ground = machineOf(world);
      const settings = settingsOf(world);
      const foreign = ground.rules.filter((rule) => !isOurRule(rule, settings));
      const isOtherView = ({ filesystem, target }: FakeMount): boolean =>
        filesystem.fstype === 'cgroup' && !target.startsWith('/sys/fs/cgroup/');
      const otherViews = new Set(ground.tree.mounts.filter(isOtherView).map(({ target }) => target));
      const mounts = ground.tree.mounts.filter((mount) => !isOtherView(mount)).map((mount) => mount.id);
      const steps = await stepsFor(ground, world);
      for (const step of steps) {
        if (step.kind === 'unmount')
          assert.ok(step.target === oldRootPath || otherViews.has(step.target), step.target);
        if (step.kind === 'delete-rule') {
          assert.ok(
            isOurRule({ priority: step.priority, text: `from all ${step.words.join(' ')}` }, settings),
          );
        }
      }
      if (!isPossible(world)) return;
      await perform(ground, steps);
      assert.deepEqual(
        ground.rules.filter((rule) => !isOurRule(rule, settings)),
        foreign,
      );
      if (steps.some((step) => step.kind === 'pivot-root')) return;
      const after = new Set(ground.tree.mounts.map((mount) => mount.id));
      assert.deepEqual(
        mounts.filter((id) => !after.has(id)),
        [],
      );
    }),
    { numRuns: 300 },
  );
});

test('every step says what it does and why, and ids do not repeat', async () => {
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      const steps = await stepsFor(machineOf(world), world);
      const ids = steps.filter((step) => step.kind !== 'delete-rule').map((step) => step.id);
      assert.equal(new Set(ids).size, ids.length, ids.filter((id, at) => ids.indexOf(id) !== at).join());
      for (const step of steps)
        assert.ok(step.what.length > 8 && step.why.endsWith('.'), JSON.stringify(step));
      assert.deepEqual(JSON.parse(JSON.stringify(steps)), steps);
    }),
    { numRuns: 200 },
  );
});
