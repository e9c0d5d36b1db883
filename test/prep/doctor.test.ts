import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../agent/api/wire.ts';
import { AgentError } from '../../agent/core/agent-error.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { type ExamineParts, examine } from '../../agent/prep/doctor/examine.ts';
import { GroundWork } from '../../agent/prep/ground-work.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import type { FakeGround } from '../fakes/fake-ground.ts';
import { FakeProbes, FakePrograms } from '../fakes/fake-probes.ts';
import { QuietLog } from '../fakes/quiet-log.ts';
import { machineOf, openHarmony, settingsOf } from './worlds.ts';

const signal = new AbortController().signal;

interface Patient extends ExamineParts {
  readonly ground: FakeGround;
  readonly probes: FakeProbes;
  readonly programs: FakePrograms;
  configProblems: string[];
  nodeName: string;
}

/** A board on which everything is as it should be. */
async function healthy(): Promise<Patient> {
  const ground = machineOf(openHarmony);
  ground.openFiles = { soft: 1_048_576, hard: 1_048_576 };
  ground.nameServers = ['192.168.7.1'];
  const settings = settingsOf(openHarmony);
  const clock = new FakeClock();
  const board = new HealthBoard(clock);
  const parts = {
    settings,
    observer: ground,
    executor: ground,
    board,
    clock,
    log: new QuietLog(),
    files: new FakeDisk(),
  };
  await new GroundWork(parts).applyNow();
  const cpuset = ground.tree.find('/sys/fs/cgroup/cpuset').mount.filesystem;
  cpuset.nodes.set('/cpuset.cpus', { kind: 'file', mode: 0o644, text: '0-3\n' });
  ground.tree
    .find('/system/etc')
    .mount.filesystem.nodes.set('/system/etc/security', { kind: 'directory', mode: 0o755 });
  ground.tree
    .find('/system/etc')
    .mount.filesystem.nodes.set('/system/etc/security/certificates', { kind: 'directory', mode: 0o755 });
  return {
    ground,
    settings,
    observer: ground,
    probes: new FakeProbes(),
    programs: new FakePrograms(),
    configProblems: [],
    nodeName: 'edge-1',
    isDockerWanted: true,
  };
}

async function wrong(patient: Patient): Promise<readonly Finding[]> {
  const { findings } = await examine(patient, signal);
  return findings.filter((finding) => finding.severity !== 'ok');
}

test('nothing is wrong with a healthy board, and every check has an id of its own', async () => {
  const patient = await healthy();
  assert.deepEqual(await wrong(patient), []);
  const { findings, worst } = await examine(patient, signal);
  assert.equal(worst, 'ok');
  assert.ok(findings.length >= 40, `${findings.length} checks`);
  assert.equal(new Set(findings.map((finding) => finding.id)).size, findings.length);
});

/** One fault each, the check that must name it, and a word of the cure. */
const faults: readonly {
  readonly fault: string;
  readonly make: (patient: Patient) => void;
  readonly id: string;
  readonly fix: RegExp;
}[] = [
  {
    fault: 'a kernel without overlayfs',
    make: ({ probes }) => probes.refused.set('overlay', 'No such device'),
    id: 'kernel.overlay',
    fix: /CONFIG_OVERLAY_FS=y/,
  },
  {
    fault: 'a data disk that overlayfs refuses',
    make: ({ probes }) => probes.refused.set('overlay-data', 'Invalid argument'),
    id: 'kernel.overlay-data',
    fix: /dataRoot/,
  },
  {
    fault: 'a kernel without veth',
    make: ({ probes }) => probes.refused.set('veth', 'Operation not supported'),
    id: 'kernel.veth',
    fix: /CONFIG_VETH=y/,
  },
  {
    fault: 'a kernel without bridges',
    make: ({ probes }) => probes.refused.set('bridge', 'Operation not supported'),
    id: 'kernel.bridge',
    fix: /CONFIG_BRIDGE=y/,
  },
  {
    fault: 'a kernel without message queues',
    make: ({ probes }) => probes.refused.set('mqueue', 'No such device'),
    id: 'kernel.mqueue',
    fix: /CONFIG_POSIX_MQUEUE=y/,
  },
  {
    fault: 'a kernel without the addrtype match',
    make: ({ probes }) => probes.refused.set('addrtype', 'No chain/target/match by that name'),
    id: 'kernel.addrtype',
    fix: /ADDRTYPE=y/,
  },
  {
    fault: 'a module that is there but not loaded',
    make: ({ probes, ground }) => {
      probes.refused.set('raw', 'Table does not exist');
      ground.loadableModules = ['iptable_raw'];
      ground.onStep = () => undefined;
      ground.modules = ['iptable_raw_other'];
    },
    id: 'kernel.raw',
    fix: /modprobe iptable_raw/,
  },
  {
    fault: 'a locked keep-caps bit',
    make: (patient) => (patient.probes.bits = 0x30),
    id: 'security.keep-caps',
    fix: /"setuid": true/,
  },
  {
    fault: 'a program of another machine',
    make: ({ programs, settings }) =>
      programs.odd.set(`${settings.binDir}/dockerd`, {
        kind: 'file',
        isExecutable: true,
        elf: { bits: 64, machine: 62 },
        fingerprint: 'x',
      }),
    id: 'parts.dockerd',
    fix: /for aarch64/,
  },
  {
    fault: 'a missing runc',
    make: ({ programs, settings }) => programs.odd.set(`${settings.binDir}/runc`, { kind: 'absent' }),
    id: 'parts.runc',
    fix: /dockerd\.binDir/,
  },
  {
    fault: 'a program that lost its mode',
    make: ({ programs, settings }) =>
      programs.odd.set(`${settings.binDir}/containerd`, {
        kind: 'file',
        isExecutable: false,
        elf: { bits: 64, machine: 183 },
        fingerprint: 'x',
      }),
    id: 'parts.containerd',
    fix: /chmod 0755/,
  },
  {
    fault: 'an iptables that does not run',
    make: (patient) => (patient.probes.iptablesVersion = undefined),
    id: 'parts.iptables',
    fix: /static/,
  },
  {
    fault: 'a full disk',
    make: (patient) =>
      (patient.probes.disk = { freeBytes: 1e8, totalBytes: 16e9, freeInodes: 9e5, totalInodes: 1e6 }),
    id: 'disk.space',
    fix: /prune/,
  },
  {
    fault: 'a disk without inodes',
    make: (patient) =>
      (patient.probes.disk = { freeBytes: 8e9, totalBytes: 16e9, freeInodes: 10, totalInodes: 1e6 }),
    id: 'disk.inodes',
    fix: /dataRoot/,
  },
  {
    fault: 'a clock in 1970',
    make: ({ ground }) => (ground.wallMs = 30_000),
    id: 'clock.set',
    fix: /date -s/,
  },
  {
    fault: 'silent name servers',
    make: ({ probes }) => probes.silentServers.add('192.168.7.1'),
    id: 'network.dns',
    fix: /prep\.dns/,
  },
  {
    fault: 'a broken configuration',
    make: (patient) => patient.configProblems.push('line 3: prep.rot is not a known key'),
    id: 'config.valid',
    fix: /config check/,
  },
  {
    fault: 'SELinux that confines the agent',
    make: ({ ground }) => (ground.selinux = { isEnforcing: true, domain: 'u:r:limit_domain:s0' }),
    id: 'security.selinux',
    fix: /"secon": "u:r:su:s0"/,
  },
  {
    fault: 'memory.stat with lines of another shape',
    make: ({ ground }) =>
      ground.tree.find('/sys/fs/cgroup/memory').mount.filesystem.nodes.set('/memory.stat', {
        kind: 'file',
        mode: 0o444,
        text: 'cache 1\nAnon: 340432 kB\n',
      }),
    id: 'cgroup.memory-stat',
    fix: /runc/,
  },
  {
    fault: 'a cpuset mounted with noprefix',
    make: ({ ground }) =>
      ground.tree
        .find('/sys/fs/cgroup/cpuset')
        .mount.filesystem.nodes.set('/cpus', { kind: 'file', mode: 0o644, text: '0-3' }),
    id: 'cgroup.noprefix',
    fix: /runc 1\.3/,
  },
  {
    fault: 'a board without a name',
    make: (patient) => (patient.nodeName = ''),
    id: 'identity.name',
    fix: /node\.name/,
  },
  {
    fault: 'a firewall that drops what is forwarded',
    make: (patient) => (patient.probes.forwardPolicy = '-P FORWARD DROP'),
    id: 'network.forward-policy',
    fix: /-P FORWARD ACCEPT/,
  },
  {
    fault: 'a dockerd in another mount namespace',
    make: ({ probes }) => (probes.processes = [{ name: 'dockerd', pid: 7, mounts: 'mnt:[9]' }]),
    id: 'ground.namespace',
    fix: /restart dockerd/,
  },
  {
    fault: 'few open files',
    make: ({ ground }) => (ground.openFiles = { soft: 4_096, hard: 4_096 }),
    id: 'limits.open-files',
    fix: /setrlimit/,
  },
];

for (const machine of [183, 0]) {
  test(`a 32-bit build is no fault where the kernel may run it: machine ${machine}`, async () => {
    const patient = await healthy();
    patient.programs.machine = machine;
    patient.programs.odd.set(`${patient.settings.binDir}/dockerd`, {
      kind: 'file',
      isExecutable: true,
      elf: { bits: 32, machine: 40 },
      fingerprint: 'x',
    });
    assert.deepEqual(
      (await wrong(patient)).filter(({ id }) => id.startsWith('parts.')),
      [],
    );
  });
}

for (const { fault, make, id, fix } of faults) {
  test(`${fault} is named, with its cure, and nothing else is blamed`, async () => {
    const patient = await healthy();
    make(patient);
    const findings = await wrong(patient);
    assert.deepEqual(
      findings.map((finding) => finding.id).filter((one) => one !== 'ground.plan'),
      [id],
    );
    const finding = findings.find((one) => one.id === id) as Finding;
    assert.match(finding.fix, fix);
    for (const words of [finding.title, finding.seen, finding.wanted, finding.why])
      assert.notEqual(words, '');
  });
}

test('a kernel that tells its configuration is believed only where it was not tried', async () => {
  const patient = await healthy();
  patient.probes.config =
    '# Linux/arm64 6.6.22 Kernel Configuration\nCONFIG_CC_VERSION_TEXT="gcc"\n# CONFIG_VETH is not set\n';
  patient.probes.refused.set('veth', 'Operation not supported');
  const ids = (await wrong(patient)).map((finding) => finding.id);
  assert.ok(ids.includes('kernel.veth'), 'tried and refused');
  assert.ok(!ids.includes('kernel.config.OVERLAY_FS'), 'tried and works, whatever the configuration says');
  assert.ok(ids.includes('kernel.config.KEYS'), 'not tried, so the configuration decides');
  const veth = (await wrong(patient)).find((finding) => finding.id === 'kernel.veth');
  assert.match(veth?.seen ?? '', /Operation not supported; the kernel is built without CONFIG_VETH/);
});

test('a hybrid, where cgroup2 holds what containers need of v1, is explained', async () => {
  const patient = await healthy();
  const ground = machineOf({
    ...openHarmony,
    unifiedAt: '/mnt/cg2',
    unifiedControllers: ['memory', 'pids'],
  });
  const control = { kind: 'file', mode: 0o644, text: 'memory pids\n' } as const;
  ground.tree.find('/mnt/cg2').mount.filesystem.nodes.set('/cgroup.subtree_control', control);
  const findings = await wrong({ ...patient, ground, observer: ground });
  const held = findings.filter(({ seen }) => seen.includes('/mnt/cg2/cgroup.subtree_control'));
  assert.deepEqual(
    held.map(({ id, severity }) => [id, severity]),
    [
      ['cgroup.memory', 'error'],
      ['cgroup.pids', 'warning'],
    ],
  );
  assert.match(held[0]?.fix ?? '', /"-memory".*prep\.cgroup to v2/);
});

test('what can only fail together with its cause is not blamed beside it', async () => {
  const patient = await healthy();
  for (const probe of ['overlay', 'overlay-data', 'bridge', 'bridge-filter'] as const) {
    patient.probes.refused.set(probe, 'No such device');
  }
  assert.deepEqual(
    (await wrong(patient)).map((finding) => finding.id),
    ['kernel.overlay', 'kernel.bridge'],
  );
});

test('a check that cannot be made says so and does not silence the others', async () => {
  const patient = await healthy();
  patient.probes.answersDns = () => Promise.reject(new Error('EMFILE'));
  const { findings } = await examine(patient, signal);
  assert.match(findings.find((finding) => finding.id === 'network.check')?.seen ?? '', /EMFILE/);
  assert.ok(findings.some((finding) => finding.id === 'clock.set'));
});

test('a board where nothing could be tried is not called healthy', async () => {
  const patient = await healthy();
  patient.probes.kernelError = new Error('unshare: Operation not permitted');
  assert.deepEqual(
    (await wrong(patient)).map((finding) => finding.id),
    ['kernel.probes'],
  );
});

test('a board too busy for the probes does not blame its kernel', async () => {
  const patient = await healthy();
  patient.probes.kernelError = new AgentError('TIMED_OUT', 'Cannot run "unshare": it did not end in time');
  const [finding, ...others] = await wrong(patient);
  assert.deepEqual(others, []);
  assert.match(finding?.why ?? '', /too busy/);
  assert.doesNotMatch(finding?.fix ?? '', /CONFIG_/);
});

test('a board without docker is not asked for its parts', async () => {
  const patient = { ...(await healthy()), isDockerWanted: false };
  const { findings } = await examine(patient, signal);
  assert.deepEqual(
    findings.filter((finding) => finding.id.startsWith('parts.')).map((finding) => finding.id),
    ['parts.busybox', 'parts.iptables'],
  );
});
