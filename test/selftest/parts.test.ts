import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { AgentError } from '../../agent/core/agent-error.ts';
import { classifyError, classifyText, faultReasons } from '../../agent/selftest/faults.ts';
import { makeImage } from '../../agent/selftest/image.ts';
import { decodeLogFrames } from '../../agent/selftest/log-frames.ts';
import { refuseBusybox } from '../../agent/selftest/rungs.ts';
import { unpack } from '../fakes/fake-engine.ts';
import { elfFile } from './elf-file.ts';

const busybox = elfFile({ machine: 183, bits: 64 });

test('the image names its layer and its configuration by their true hashes', async () => {
  const files = await unpack(await makeImage({ busybox, architecture: 'arm64', name: 'x/y:1' }));
  const [manifest] = JSON.parse(Buffer.from(files.get('manifest.json') ?? '').toString()) as {
    Config: string;
    RepoTags: string[];
    Layers: string[];
  }[];
  assert.deepEqual(manifest?.RepoTags, ['x/y:1']);
  const config = files.get(manifest?.Config ?? '') ?? new Uint8Array();
  const layer = files.get(manifest?.Layers[0] ?? '') ?? new Uint8Array();
  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  assert.equal(manifest?.Config, `${hash(config)}.json`);
  const parsed = JSON.parse(Buffer.from(config).toString()) as {
    architecture: string;
    rootfs: { diff_ids: string[] };
  };
  assert.equal(parsed.architecture, 'arm64');
  assert.deepEqual(parsed.rootfs.diff_ids, [`sha256:${hash(layer)}`]);
});

test('the layer holds busybox as it is, sh, and the directories that a runtime mounts on', async () => {
  const files = await unpack(await makeImage({ busybox, architecture: 'arm64', name: 'x/y:1' }));
  const layer = [...files].find(([name]) => name.endsWith('layer.tar'))?.[1] ?? new Uint8Array();
  const inside = await unpack(layer);
  assert.deepEqual(Buffer.from(inside.get('bin/busybox') ?? ''), Buffer.from(busybox));
  assert.ok(inside.has('bin/sh -> busybox'));
  for (const folder of ['dev/', 'etc/', 'proc/', 'sys/', 'tmp/']) assert.ok(inside.has(folder), folder);
});

test('the same busybox gives the same image', async () => {
  const make = () => makeImage({ busybox, architecture: 'arm64', name: 'x/y:1' });
  assert.deepEqual(await make(), await make());
});

const heads: readonly (readonly [number, 32 | 64, string])[] = [
  [3, 32, '386'],
  [40, 32, 'arm'],
  [62, 64, 'amd64'],
  [183, 64, 'arm64'],
  [243, 64, 'riscv64'],
  [258, 64, 'loong64'],
];
for (const [machine, bits, architecture] of heads) {
  test(`a busybox of machine ${machine} fits where Docker says ${architecture}, if it is static`, () => {
    refuseBusybox(elfFile({ machine, bits }), architecture);
    assert.throws(() => refuseBusybox(elfFile({ machine, bits }), 's390x'), {
      message: `Cannot use busybox: it is for ${architecture}, want s390x`,
    });
    assert.throws(
      () => refuseBusybox(elfFile({ machine, bits, hasLoader: true }), architecture),
      /dynamically linked/,
    );
  });
}

test('a log is put together from its frames, wherever they cut a character', () => {
  const frame = (bytes: Uint8Array): Uint8Array => {
    const head = new Uint8Array(8);
    head[0] = 1;
    new DataView(head.buffer).setUint32(4, bytes.length, false);
    return Buffer.concat([head, bytes]);
  };
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 50 }), fc.nat(60), (text, cut) => {
      const bytes = Buffer.from(text);
      const framed = Buffer.concat([frame(bytes.subarray(0, cut)), frame(bytes.subarray(cut))]);
      assert.equal(decodeLogFrames(framed), bytes.toString('utf8'));
    }),
  );
  assert.equal(decodeLogFrames(frame(Buffer.from('abc')).subarray(0, 10)), 'ab');
  assert.equal(decodeLogFrames(new Uint8Array(5)), '');
});

/** What engines and their tools print, as upstream's issues and our own runs show it. */
const texts: readonly (readonly [string, string])[] = [
  [
    'OCI runtime create failed: runc create failed: unable to start container process: unable to set keep caps: operation not permitted: unknown',
    'KeepCapsLocked',
  ],
  [
    'error mounting "mqueue" to rootfs at "/dev/mqueue": mount mqueue:/dev/mqueue, flags: 0xe: no such device: unknown',
    'MqueueMissing',
  ],
  ['exec /bin/busybox: exec format error', 'WrongArchitecture'],
  ["failed to start daemon: Devices cgroup isn't mounted", 'CgroupMissing'],
  ['cgroups: cgroup mountpoint does not exist: unknown', 'CgroupMissing'],
  ['no cgroup mount found in mountinfo: unknown', 'CgroupMissing'],
  [
    'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    'CpuQuotaMissing',
  ],
  [
    'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
    'MemoryCgroupMissing',
  ],
  ['failed to parse memory.stat (Anon: 340432 kB) - unable to convert to uint64', 'MemoryStatUnreadable'],
  [
    "unable to start container process: can't get final child's PID from pipe: EOF: unknown",
    'OomScoreRefused',
  ],
  ['write /proc/self/oom_score_adj: permission denied', 'OomScoreRefused'],
  ['error creating overlay mount to /data/docker/overlay2/x/merged: no such device', 'OverlayMissing'],
  ['failed to mount overlay: invalid argument', 'OverlayMissing'],
  ['jailing process inside rootfs caused: pivot_root .: invalid argument', 'PivotRootRefused'],
  ['path /data/x is mounted on /data but it is not a shared mount', 'MountNotShared'],
  ['failed to create NAT chain DOCKER: Iptables not found', 'IptablesMissing'],
  ["can't initialize iptables table `nat': Table does not exist (do you need to insmod?)", 'NatMissing'],
  [
    "iptables v1.8.7 (legacy): can't initialize iptables table `raw': Table does not exist",
    'IptablesRawMissing',
  ],
  ['Failed to initialize nft: Protocol not supported', 'NftablesMissing'],
  [
    'iptables failed: iptables --wait -t filter -A DOCKER: iptables: No chain/target/match by that name.',
    'IptablesRuleRefused',
  ],
  [
    'cannot restrict inter-container communication or run without the userland proxy: stat /proc/sys/net/bridge/bridge-nf-call-iptables',
    'BridgeNetfilterMissing',
  ],
  [
    'failed to add the host (veth1) <=> sandbox (veth2) pair interfaces: operation not supported',
    'VethMissing',
  ],
  [
    'adding interface veth529a2f3 to bridge docker0 failed: could not find bridge docker0: route ip+net: no such network interface',
    'BridgeMissing',
  ],
  ['network bridge not found', 'BridgeMissing'],
  ['could not create bridge docker0: operation not supported', 'BridgeMissing'],
  ["no available IPv4 addresses on this network's address pools: bridge", 'AddressTaken'],
  ['failed to create shim task: OCI runtime create failed: seccomp: not supported', 'SeccompMissing'],
  ['unable to join session keyring: unable to create session key: disk quota exceeded', 'KeyringFull'],
  ['write /data/docker/tmp/x: no space left on device', 'DiskFull'],
  ['mkdir /var/lib/docker: read-only file system', 'ReadOnly'],
  ['fork/exec /proc/self/exe: too many open files', 'TooManyFiles'],
  ['exec: "containerd-shim-runc-v2": executable file not found in $PATH', 'RuntimeBroken'],
];
for (const [text, reason] of texts) {
  test(`"${text.slice(0, 60)}" is ${reason}`, () => {
    const fault = classifyText(text, 'RunFailed');
    assert.equal(fault.reason, reason);
    assert.ok(fault.message.includes(text), 'what was seen stays readable');
  });
}

test('every class of fault is shown by a text, so that no row is dead', () => {
  const shown = new Set([
    ...texts.map(([, reason]) => reason),
    'BusyboxUnfit',
    'CpusetEmpty',
    'NamespaceMissing',
  ]);
  assert.deepEqual(
    faultReasons.filter((reason) => !shown.has(reason)),
    [],
  );
});

test('an unknown text keeps the name of the rung and its own words', () => {
  assert.deepEqual(classifyText('the moon is full', 'BridgeFailed'), {
    reason: 'BridgeFailed',
    message: 'see `agentctl logs dockerd`; seen: the moon is full',
  });
});

test('a text without end is cut', () => {
  assert.ok(classifyText('x'.repeat(100_000), 'RunFailed').message.length < 800);
});

test('no answer and no answer in time are told apart', () => {
  assert.equal(classifyError(new AgentError('TOOL_FAILED', 'ENOENT'), 'x').reason, 'DockerUnreachable');
  assert.equal(classifyError(new AgentError('TIMED_OUT', '5 s'), 'x').reason, 'DockerHung');
});
