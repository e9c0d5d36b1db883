import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnitStatus } from '../../agent/api/wire.ts';
import { AgentError, isAgentError } from '../../agent/core/agent-error.ts';
import { home, UpdateWorld } from '../fakes/update-world.ts';

const never = new AbortController().signal;

async function board(): Promise<UpdateWorld> {
  const world = new UpdateWorld();
  await world.begin();
  return world;
}

/** The refusal of an update, which must have changed nothing. */
async function refusal(world: UpdateWorld, work: Promise<unknown>): Promise<string> {
  const before = world.found();
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(isAgentError(error), String(error));
  assert.equal(world.found(), before);
  assert.equal(world.restarts, 0);
  assert.equal(await world.disk.sizeOf(`${home}/parts/dockerd/.draft/dockerd`), undefined, 'the draft stays');
  return `${error.code} ${error.message}`;
}

test('an update is verified, switched to, and stays once it has proved itself', async () => {
  const world = await board();
  const document = await world.update(world.hand('27.5.1'));
  assert.equal(document.ok, true);
  assert.equal(document.phase, 'settled');
  assert.match(document.to.slot, /^27\.5\.1-[0-9a-f]{12}$/);
  assert.equal(document.to.version, '27.5.1');
  assert.equal(document.from.slot, 'image');
  assert.equal(world.running, '27.5.1 good');
  assert.equal(world.restarts, 1, 'the unit is restarted once');
  assert.deepEqual(world.story(), ['part.switched', 'part.confirmed']);
  assert.equal(world.board.get('PartsSettled')?.status, 'true');
  const { parts } = await world.updater.list();
  const dockerd = parts.find(({ part }) => part === 'dockerd');
  assert.equal(dockerd?.current.version, '27.5.1');
  assert.equal(dockerd.former?.slot, 'image');
});

test('one old version is kept, and older ones go', async () => {
  const world = await board();
  for (const version of ['23.0.1', '24.0.2', '25.0.3']) await world.update(world.hand(version));
  const names = await world.disk.list(`${home}/parts/dockerd`);
  assert.deepEqual(
    names.map((name) => name.replace(/-[0-9a-f]{12}$/, '')),
    ['24.0.2', '25.0.3', 'current', 'former', 'record'],
  );
});

test('a new version that does not become ready is taken back, with the reason and its last words', async () => {
  const world = await board();
  await world.update(world.hand('24.0.2'));
  const document = await world.update(world.hand('27.5.1', 'bad'));
  assert.equal(document.ok, false);
  assert.equal(document.phase, 'settled');
  assert.deepEqual(document.outcome, { reason: 'CrashLoop', message: '27.5.1 bad' });
  assert.match(document.to.slot, /^24\.0\.2-/);
  assert.equal(world.running, '24.0.2 good');
  assert.equal(world.record()?.rejected?.reason, 'CrashLoop');
  const event = world.board.eventsAfter(0).find((one) => one.event === 'part.taken-back');
  assert.deepEqual(event?.fields['lines'], ['27.5.1 bad says why']);
  const condition = world.board.get('PartsSettled');
  assert.equal(condition?.status, 'true', 'a board that works again is no broken board');
  assert.equal(condition.reason, 'TakenBack');
  assert.match(condition.message, /27\.5\.1-[0-9a-f]{12} was taken back: CrashLoop/);
});

test('a version that runs and does not get ready is given its time, no more', async () => {
  const world = await board();
  const update = world.updater.update('dockerd', { file: world.hand('27.5.1'), isDryRun: false }, never);
  await world.clock.advance(0);
  world.setUnit({ phase: 'starting', reason: 'Starting', message: 'it migrates its database' });
  await world.clock.advance(19_000);
  assert.equal(world.record()?.phase, 'watching');
  const document = await world.settled(update);
  assert.equal(document.outcome.reason, 'NotReadyInTime');
  assert.match(document.outcome.message, /after 20 s: it migrates its database/);
  assert.equal(world.running, '20.10.24 good');
});

test('readiness counts only where it lasts', async () => {
  const world = await board();
  const update = world.updater.update('dockerd', { file: world.hand('27.5.1'), isDryRun: false }, never);
  for (let pid = 500; pid < 504; pid += 1) {
    await world.clock.advance(1_000);
    world.setUnit({ pid, phase: 'ready' });
  }
  const document = await world.settled(update);
  assert.equal(document.outcome.reason, 'KeepsEnding');
  assert.equal(world.running, '20.10.24 good');
});

test('a unit that is stopped by wish is not started; it proves itself when somebody starts it', async () => {
  const world = await board();
  world.setUnit({ wanted: 'down', phase: 'down', reason: 'Stopped', message: 'stopped' });
  const { pid: _pid, ...stopped } = world.unit;
  world.units.splice(0, 1, stopped);
  const document = await world.update(world.hand('27.5.1'));
  assert.equal(document.ok, true);
  assert.equal(document.phase, 'watching');
  assert.equal(document.outcome.reason, 'Resting');
  assert.equal(world.restarts, 0);
  await world.clock.advance(3_600_000);
  assert.equal(world.record()?.phase, 'watching', 'time in which nobody can tell does not count');
  world.setUnit({ wanted: 'up', phase: 'ready', pid: 900, message: world.found() });
  await world.clock.advance(5_000);
  assert.equal(world.record()?.phase, 'settled');
  assert.equal(world.running, '27.5.1 good');
});

test('a unit that waits for another one is not blamed for that', async () => {
  const world = await board();
  const update = world.updater.update('dockerd', { file: world.hand('27.5.1'), isDryRun: false }, never);
  await world.clock.advance(0);
  const { pid: _pid, ...held } = { ...world.unit, phase: 'waiting', reason: 'WaitingForDockerd' } as const;
  world.units.splice(0, 1, held);
  await world.clock.advance(60_000);
  world.setUnit({ phase: 'ready', pid: 77 });
  await world.clock.advance(5_000);
  assert.equal((await update).outcome.reason, 'Resting');
  assert.equal(world.record()?.phase, 'settled');
  assert.equal(world.record()?.rejected, undefined);
});

test('a node without its cloud is as good after the update as before', async () => {
  const world = await board();
  world.setUnit({ phase: 'unready', reason: 'NoCloud', message: 'the cloud is away' });
  const update = world.updater.update('dockerd', { file: world.hand('27.5.1'), isDryRun: false }, never);
  await world.clock.advance(0);
  world.setUnit({ phase: 'unready', reason: 'NoCloud', message: 'the cloud is away' });
  assert.equal((await world.settled(update)).ok, true);
});

test('a disk that is full while a change is taken back is tried again until it is not', async () => {
  const world = await board();
  await world.update(world.hand('24.0.2'));
  const file = world.hand('27.5.1', 'bad');
  const replace = world.disk.replace.bind(world.disk);
  let isFull = false;
  world.disk.replace = async (path, text) => {
    if (isFull) throw new AgentError('FILE_FAILED', `Cannot write "${path}": ENOSPC; the disk is full`);
    await replace(path, text);
    isFull = text.includes('phase watching');
  };
  const document = await world.update(file);
  assert.equal(document.ok, false);
  assert.equal(document.outcome.reason, 'Stuck');
  assert.equal(world.board.get('PartsSettled')?.status, 'false');
  isFull = false;
  world.disk.replace = replace;
  await world.clock.advance(15_000);
  assert.equal(world.running, '24.0.2 good');
  assert.equal(world.record()?.phase, 'settled');
  assert.equal(world.board.get('PartsSettled')?.status, 'true');
});

test('a containerd of its own goes over to the new set, too, and before dockerd', async () => {
  const world = await board();
  let containerd: UnitStatus = { ...world.unit, name: 'containerd', pid: 50, message: '' };
  const restarted: string[] = [];
  world.status = () => [containerd, ...world.units];
  const restart = world.restartUnit.bind(world);
  world.restartUnit = (name: string) => {
    restarted.push(name);
    if (name !== 'containerd') return restart();
    containerd = { ...containerd, pid: (containerd.pid ?? 0) + 1 };
    return containerd;
  };
  assert.equal((await world.update(world.hand('27.5.1'))).ok, true);
  assert.deepEqual(restarted, ['containerd', 'dockerd']);
  containerd = {
    ...containerd,
    phase: 'failed',
    reason: 'ConfigWrong',
    message: 'it takes no configuration',
  };
  const broken = await world.update(world.hand('28.0.1'));
  assert.equal(broken.outcome.reason, 'ConfigWrong');
  assert.equal(world.running, '27.5.1 good');
});

test('rollback goes to the one before, and again to the one after', async () => {
  const world = await board();
  await world.update(world.hand('24.0.2'));
  await world.update(world.hand('25.0.3'));
  assert.equal((await world.settled(world.updater.rollback('dockerd'))).ok, true);
  assert.equal(world.running, '24.0.2 good');
  await world.settled(world.updater.rollback('dockerd'));
  assert.equal(world.running, '25.0.3 good');
});

test('the part of the image is what the first update can go back to', async () => {
  const world = await board();
  await world.update(world.hand('24.0.2'));
  await world.settled(world.updater.rollback('dockerd'));
  assert.equal(world.running, '20.10.24 good');
  assert.equal(await world.disk.linkTarget(`${home}/parts/dockerd/current`), undefined);
});

test('a part that was never updated has nothing to go back to', async () => {
  const world = await board();
  assert.match(await refusal(world, world.updater.rollback('dockerd')), /PART_REFUSED .*no former one/);
});

test('a change on trial can be taken back at once, and stands in the way of another one', async () => {
  const world = await board();
  const update = world.updater.update('dockerd', { file: world.hand('27.5.1'), isDryRun: false }, never);
  await world.clock.advance(500);
  const second = world.updater.update('dockerd', { file: world.hand('28.0.1'), isDryRun: false }, never);
  await assert.rejects(second, /on trial.*agentctl rollback dockerd/);
  const rollback = await world.settled(world.updater.rollback('dockerd'));
  assert.equal(rollback.ok, true);
  assert.equal(rollback.outcome.reason, 'ByHand');
  assert.equal((await update).ok, false);
  assert.equal(world.running, '20.10.24 good');
});

test('a dry run verifies and changes nothing', async () => {
  const world = await board();
  const document = await world.update(world.hand('27.5.1'), { isDryRun: true });
  assert.equal(document.ok, true);
  assert.equal(document.dryRun, true);
  assert.equal(document.to.version, '27.5.1');
  assert.ok(document.notes.includes('dockerd: aarch64, 64 bits, static'));
  assert.equal(world.restarts, 0);
  assert.deepEqual(await world.disk.list(`${home}/parts/dockerd`), []);
});

test('one program replaces one of a set, and the others stay those in use', async () => {
  const world = await board();
  await world.update(world.hand('24.0.2'));
  world.handed.set('/data/dockerd.bin', { dockerd: '24.0.9 good' });
  assert.equal((await world.update('/data/dockerd.bin')).ok, true);
  assert.equal(world.running, '24.0.9 good');
  const runc = world.disk.text(`${home}/parts/dockerd/current/runc`);
  assert.equal(runc, '24.0.2 good');
});

const refusals: Readonly<
  Record<string, { readonly act: (world: UpdateWorld) => Promise<unknown>; readonly says: RegExp }>
> = {
  'another sum': {
    act: (world) => world.update(world.hand('27.5.1'), { sha256: 'A'.repeat(64) }),
    says: /PART_REFUSED .*SHA-256 is [0-9a-f]{64}, want a{64}; take another copy/,
  },
  'another version': {
    act: (world) => world.update(world.hand('27.5.1'), { version: 'v27.5.2' }),
    says: /it is version 27\.5\.1, want 27\.5\.2/,
  },
  'an archive without containerd': {
    act: (world) => {
      world.handed.set('/data/half.tgz', { dockerd: '27.5.1 good', runc: '1' });
      return world.update('/data/half.tgz');
    },
    says: /does not hold containerd, containerd-shim-runc-v2; take dockerd itself, or Docker's static/,
  },
  'a program that asks for a loader': {
    act: (world) => {
      world.elf = {
        ...static_,
        isStatic: false,
        interpreter: '/lib/ld-linux-aarch64.so.1',
        needed: ['libc.so.6'],
      };
      return world.update(world.hand('27.5.1'));
    },
    says: /asks for the loader \/lib\/ld-linux-aarch64\.so\.1, which neither the board has nor the file brings/,
  },
  'a file that was cut short': {
    act: (world) => {
      world.elf = { problem: 'Truncated: wants 56 bytes at offset 64, has 70 bytes in all' };
      return world.update(world.hand('27.5.1'));
    },
    says: /"dockerd" is no whole program: Truncated/,
  },
  'a full disk': {
    act: (world) => {
      world.disk.free = 1_000_000;
      return world.update(world.hand('27.5.1'));
    },
    says: /needs 34 MB below \/data\/agent\/parts\/dockerd, 1 MB are free; free some space/,
  },
  'an unknown part': {
    act: (world) => world.update(world.hand('27.5.1'), {}, 'kubelet'),
    says: /NOT_FOUND .*there are dockerd, edgecore, agent/,
  },
  'an agent that nobody would start again': {
    act: (world) => world.update(world.hand('27.5.1'), {}, 'agent'),
    says: /PART_REFUSED .*was not started by launch\.sh/,
  },
};

for (const [what, { act, says }] of Object.entries(refusals)) {
  test(`${what} is refused with its cure, and nothing is changed`, async () => {
    const world = await board();
    assert.match(await refusal(world, act(world)), says);
  });
}

test('the version that is in use already is refused', async () => {
  const world = await board();
  await world.update(world.hand('24.0.2'));
  await assert.rejects(world.update(world.hand('24.0.2')), /is in use already/);
});

test('what the last update left is given up where the disk has no room for both', async () => {
  const world = await board();
  await world.update(world.hand('23.0.1'));
  await world.update(world.hand('24.0.2'));
  world.disk.freeBytes = async () => {
    const names = await world.disk.list(`${home}/parts/dockerd`);
    return names.some((name) => name.startsWith('23.0.1-')) ? 0 : 1_000_000_000;
  };
  assert.equal((await world.update(world.hand('25.0.3'))).ok, true);
  const { parts } = await world.updater.list();
  assert.match(parts[0]?.former?.slot ?? '', /^24\.0\.2-/);
});

test('where the former one was given up for room, the part of the image is gone back to', async () => {
  const world = await board();
  await world.update(world.hand('23.0.1'));
  await world.update(world.hand('24.0.2'));
  await world.disk.removeTree(`${home}/parts/dockerd/${world.record()?.former}`);
  assert.equal((await world.settled(world.updater.rollback('dockerd'))).ok, true);
  assert.equal(world.running, '20.10.24 good');
});

for (const [what, file] of [
  ['a disk that takes the files and not what is written beside them', 'part.json'],
  ['a disk that takes the record and not the link', 'current'],
] as const) {
  test(`${what} leaves neither a change nor files behind`, async () => {
    const world = await board();
    await world.update(world.hand('24.0.2'));
    const { disk } = world;
    const names = await disk.list(`${home}/parts/dockerd`);
    const [replace, pointLink] = [disk.replace.bind(disk), disk.pointLink.bind(disk)];
    const full = new AgentError('FILE_FAILED', 'Cannot write: ENOSPC');
    disk.replace = (path, text) => (path.endsWith(file) ? Promise.reject(full) : replace(path, text));
    disk.pointLink = (path, target) => {
      return path.endsWith(file) && !target.startsWith('24.')
        ? Promise.reject(full)
        : pointLink(path, target);
    };
    await assert.rejects(world.update(world.hand('25.0.3')), /ENOSPC/);
    assert.equal(world.record()?.phase, 'settled');
    assert.match(world.record()?.current ?? '', /^24\.0\.2-/);
    assert.deepEqual(await disk.list(`${home}/parts/dockerd`), names);
    const next = new UpdateWorld({ disk, units: world.units }, 'boot-1');
    await next.begin();
    await next.clock.advance(10_000);
    assert.equal(next.found(), '24.0.2 good');
    assert.deepEqual(next.story(), []);
  });
}

test('an agent that stops while it takes a file ends no unit; the next agent goes on', async () => {
  const world = await board();
  const file = world.hand('27.5.1');
  const take = world.take.bind(world);
  let release = (): void => undefined;
  const hold = new Promise<void>((resolve) => {
    release = resolve;
  });
  world.take = (order) => hold.then(() => take(order));
  const update = world.updater.update('dockerd', { file, isDryRun: false }, never);
  await world.updater.stop();
  release();
  assert.equal((await update).outcome.reason, 'Interrupted');
  assert.equal(world.restarts, 0);
  const next = new UpdateWorld({ disk: world.disk, units: world.units }, 'boot-1');
  await next.begin();
  await next.clock.advance(10_000);
  assert.equal(next.running, '27.5.1 good');
  assert.equal(next.record()?.phase, 'settled');
});

test('the version of an edgecore that does not tell is the one that was given, for everybody who asks later', async () => {
  const world = await board();
  world.find = () => Promise.resolve(undefined as never);
  world.handed.set('/data/edgecore.bin', { edgecore: 'stripped good' });
  const document = await world.update('/data/edgecore.bin', { version: '1.22.1' }, 'edgecore');
  assert.equal(document.to.version, '1.22.1');
  assert.equal(world.disk.text(`${home}/parts/edgecore/current/version`), 'v1.22.1\n');
  assert.equal(document.outcome.reason, 'Resting', 'nobody supervises an edgecore on this board');
});

const static_ = {
  bits: 64,
  machine: 'aarch64',
  type: 'executable',
  interpreter: null,
  needed: [] as readonly string[],
  searchPaths: [],
  hasTextRelocations: false,
  isStatic: true,
} as const;
