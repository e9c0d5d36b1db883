import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type {
  GroundFacts,
  GroundQuestions,
  Mount,
  ObservedMachine,
} from '../../agent/core/ground-observed.ts';
import type { GroundStep, Propagation } from '../../agent/core/ground-step.ts';
import { machineOf, openHarmony } from '../prep/worlds.ts';
import { KernelRig, missing } from './kernel-rig.ts';

/** What both the fake and the real machine can do. */
interface Machine {
  execute(step: GroundStep): Promise<void>;
  observe(): Promise<ObservedMachine>;
  facts(questions: GroundQuestions): Promise<GroundFacts>;
}

/** The same suite runs on the fake machine, which the planners are tested with, and on the kernel, which decides what is true. */
const machines: readonly {
  readonly name: string;
  readonly skip: string | undefined;
  readonly make: (t: TestContext) => Promise<Machine>;
}[] = [
  {
    name: 'fake',
    skip: undefined,
    make: async () => {
      const ground = machineOf(openHarmony);
      return {
        execute: (step) => ground.execute(step),
        observe: () => ground.observe(),
        facts: async (questions) => ground.facts(questions),
      };
    },
  },
  {
    name: 'kernel',
    skip: missing,
    make: async (t) => {
      const rig = await KernelRig.start(t, 'image');
      return {
        execute: (step) => rig.ask({ do: 'execute', step }),
        observe: () => rig.ask({ do: 'observe' }),
        facts: (questions) => rig.ask({ do: 'facts', questions }),
      };
    },
  },
];

const words = { id: 'x', what: 'do it', why: 'The suite wants it.' };
const directory = (path: string, mode = 0o755): GroundStep => ({
  ...words,
  kind: 'make-directory',
  path,
  mode,
});
const tmpfs = (target: string): GroundStep => ({
  ...words,
  kind: 'mount',
  fstype: 'tmpfs',
  source: 'suite',
  target,
  options: ['mode=0755'],
});
const bind = (source: string, target: string, isRecursive = false): GroundStep => ({
  ...words,
  kind: 'bind',
  source,
  target,
  isRecursive,
});
const spread = (target: string, propagation: Propagation): GroundStep => ({
  ...words,
  kind: 'set-propagation',
  target,
  propagation,
});
const file = (path: string, text = 'text'): GroundStep => ({
  ...words,
  kind: 'write-file',
  path,
  text,
  mode: 0o644,
});
const link = (path: string, target: string): GroundStep => ({ ...words, kind: 'make-symlink', path, target });
const unmount = (target: string, isLazy = false): GroundStep => ({
  ...words,
  kind: 'unmount',
  target,
  isLazy,
});

async function all(machine: Machine, ...steps: readonly GroundStep[]): Promise<void> {
  for (const step of steps) await machine.execute(step);
}

async function refuses(machine: Machine, step: GroundStep): Promise<void> {
  await assert.rejects(machine.execute(step), /Cannot do it: /, JSON.stringify(step));
}

async function at(machine: Machine, target: string): Promise<Mount | undefined> {
  return (await machine.observe()).mounts.findLast((mount) => mount.target === target);
}

async function look(machine: Machine, path: string): Promise<GroundFacts['paths'][string] | undefined> {
  return (await machine.facts({ paths: [path], texts: [path], lists: [path], sysctls: [] })).paths[path];
}

for (const { name, skip, make } of machines) {
  const check = (what: string, run: (machine: Machine) => Promise<void>): void => {
    test(`${name}: ${what}`, { skip }, async (t) => run(await make(t)));
  };

  check('a mount is seen with its source, and is gone when it is unmounted', async (machine) => {
    await all(machine, directory('/data/m'), tmpfs('/data/m'));
    const mount = await at(machine, '/data/m');
    assert.equal(mount?.fstype, 'tmpfs');
    assert.equal(mount?.source, 'suite');
    assert.equal(mount?.root, '/');
    await machine.execute(unmount('/data/m'));
    assert.equal(await at(machine, '/data/m'), undefined);
    await refuses(machine, unmount('/data/m'));
    await refuses(machine, tmpfs('/data/nowhere'));
  });

  check('a mount with another one below it is busy, unless it is let go lazily', async (machine) => {
    await all(machine, directory('/data/m'), tmpfs('/data/m'), directory('/data/m/n'), tmpfs('/data/m/n'));
    await refuses(machine, unmount('/data/m'));
    await machine.execute(unmount('/data/m', true));
    assert.equal(await at(machine, '/data/m/n'), undefined);
  });

  check('a bind shows the same part of the same filesystem', async (machine) => {
    await all(
      machine,
      directory('/data/a/b'),
      directory('/data/c'),
      file('/data/a/b/f'),
      bind('/data/a/b', '/data/c'),
    );
    const data = await at(machine, '/data');
    const bound = await at(machine, '/data/c');
    assert.equal(bound?.device, data?.device);
    assert.equal(bound?.root, '/a/b');
    assert.equal((await look(machine, '/data/c/f'))?.text, 'text');
    await refuses(machine, bind('/data/none', '/data/c'));
    await refuses(machine, bind('/data/a/b/f', '/data/c'));
  });

  check('a recursive bind takes along what is mounted below, but nothing unbindable', async (machine) => {
    await all(machine, directory('/data/a/x'), directory('/data/a/y'), directory('/mnt/c'));
    await all(machine, tmpfs('/data/a/x'), tmpfs('/data/a/y'), spread('/data/a/y', 'unbindable'));
    assert.equal((await at(machine, '/data/a/y'))?.isUnbindable, true);
    await machine.execute(bind('/data/a', '/mnt/c', true));
    assert.equal((await at(machine, '/mnt/c/x'))?.source, 'suite');
    assert.equal(await at(machine, '/mnt/c/y'), undefined);
    await refuses(machine, bind('/data/a/y', '/mnt/c'));
  });

  check(
    'directories, files and links come to be with their modes, and again without complaint',
    async (machine) => {
      for (let round = 0; round < 2; round += 1) {
        await all(machine, directory('/data/d/e', 0o710), file('/data/f', 'one'), link('/data/l', '/data/d'));
      }
      assert.equal((await look(machine, '/data/d/e'))?.mode, 0o710);
      assert.deepEqual((await look(machine, '/data/d'))?.names, ['e']);
      assert.equal((await look(machine, '/data/f'))?.text, 'one');
      const found = await look(machine, '/data/l');
      assert.deepEqual([found?.kind, found?.target, found?.behind], ['symlink', '/data/d', 'directory']);
      await all(machine, link('/data/l', '/data/none'), {
        ...words,
        kind: 'set-mode',
        path: '/data/d',
        mode: 0o700,
      });
      assert.equal((await look(machine, '/data/l'))?.behind, undefined);
      assert.equal((await look(machine, '/data/d'))?.mode, 0o700);
      assert.equal((await look(machine, '/data/none'))?.kind, 'absent');
    },
  );

  check('what may belong to somebody else is not written over', async (machine) => {
    await all(machine, directory('/data/full/x'), file('/data/f'), link('/data/l', '/data/f'));
    await refuses(machine, link('/data/full', '/run'));
    await refuses(machine, link('/data/f', '/run'));
    await refuses(machine, file('/data/l'));
    await refuses(machine, file('/data/full'));
    await refuses(machine, directory('/data/f'));
    assert.equal((await look(machine, '/data/f'))?.text, 'text');
  });

  check('a read-only root takes nothing', async (machine) => {
    await refuses(machine, directory('/new'));
    await refuses(machine, link('/new', '/data'));
    await refuses(machine, file('/system/etc/new'));
  });

  check('rules are added, seen, and taken away one by one', async (machine) => {
    const rule = { ...words, priority: 8_500, words: ['to', '10.77.0.0/16', 'lookup', 'main'] };
    const count = async (): Promise<number> =>
      (await machine.observe()).rules.filter((one) => one.text === 'from all to 10.77.0.0/16 lookup main')
        .length;
    await all(machine, { ...rule, kind: 'add-rule' });
    assert.equal(await count(), 1);
    assert.equal((await machine.observe()).rules.find((one) => one.text.includes('10.77'))?.priority, 8_500);
    await machine.execute({ ...rule, kind: 'delete-rule' });
    assert.equal(await count(), 0);
    await refuses(machine, { ...rule, kind: 'delete-rule' });
  });

  check(
    'a switch of the kernel is written and read back, and one that does not exist is refused',
    async (machine) => {
      const sysctl = (name: string, value: string): GroundStep => ({
        ...words,
        kind: 'write-sysctl',
        name,
        value,
      });
      const read = async (key: string): Promise<string | undefined> =>
        (await machine.facts({ paths: [], texts: [], lists: [], sysctls: [key] })).sysctls[key];
      await machine.execute(sysctl('net.ipv4.ip_forward', '1'));
      assert.equal(await read('net.ipv4.ip_forward'), '1');
      await machine.execute(sysctl('net.ipv4.ip_forward', '0'));
      assert.equal(await read('net.ipv4.ip_forward'), '0');
      assert.equal(await read('net.ipv4.none'), undefined);
      await refuses(machine, sysctl('net.ipv4.none', '1'));
    },
  );

  check('a hierarchy is attached by exactly its set of controllers', async (machine) => {
    const hierarchy = (target: string, ...names: readonly string[]): GroundStep => ({
      ...words,
      kind: 'mount',
      fstype: 'cgroup',
      source: 'cgroup',
      target,
      options: ['nosuid', ...names],
    });
    await all(machine, directory('/data/cpu'), directory('/data/both'), hierarchy('/data/cpu', 'cpu'));
    assert.ok((await at(machine, '/data/cpu'))?.superOptions.includes('cpu'));
    await refuses(machine, hierarchy('/data/both', 'cpu', 'hugetlb'));
    await refuses(machine, hierarchy('/data/both', 'nonsense'));
    assert.equal((await look(machine, '/data/cpu/cgroup.procs'))?.kind, 'file');
  });

  check('a shared root is not moved; one that is not becomes the old root below the new', async (machine) => {
    const top = '/data/new';
    await all(
      machine,
      directory(top),
      tmpfs(top),
      directory(`${top}/old`),
      directory(`${top}/data`),
      ...['dev', 'proc', 'system'].flatMap((entry) => [
        directory(`${top}/${entry}`),
        bind(`/${entry}`, `${top}/${entry}`),
      ]),
      bind('/data', `${top}/data`),
    );
    const pivot: GroundStep = { ...words, kind: 'pivot-root', newRoot: top, putOld: `${top}/old` };
    await machine.execute(spread('/', 'rshared'));
    assert.equal((await at(machine, '/'))?.isShared, true);
    await refuses(machine, pivot);
    await all(machine, spread('/', 'rslave'), pivot);
    assert.equal((await at(machine, '/'))?.source, 'suite');
    assert.equal((await look(machine, '/old/system'))?.kind, 'directory');
    await refuses(machine, unmount('/old'));
  });
}
