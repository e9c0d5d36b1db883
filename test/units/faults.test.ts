import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainEnd } from '../../agent/core/end-faults.ts';
import type { Ended } from '../../agent/core/process.ts';
import { checkProgram } from '../../agent/core/program-check.ts';
import { dockerdSymptoms } from '../../agent/units/dockerd-faults.ts';

const exited: Ended = { how: 'exited', code: 1 };

/** Last words of dockerd, word for word as it prints them, and the reason they stand for. */
const words: readonly (readonly [string, string, boolean])[] = [
  [
    "unable to configure the Docker daemon with file /data/d.json: invalid character 'x' looking for beginning of value",
    'DaemonConfigInvalid',
    true,
  ],
  [
    'unable to configure the Docker daemon with file /data/d.json: the following directives are specified both as a flag and in the configuration file: hosts',
    'DaemonConfigInvalid',
    true,
  ],
  [
    'failed to start containerd: exec: "containerd": executable file not found in $PATH',
    'ContainerdMissing',
    true,
  ],
  ['failed to start daemon: failed to find runc binary', 'RuncMissing', true],
  ["failed to start daemon: Devices cgroup isn't mounted", 'CgroupDevicesMissing', false],
  [
    'failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to create NAT chain DOCKER: Iptables not found',
    'IptablesMissing',
    false,
  ],
  [
    'failed to start daemon: Error initializing network controller: failed to register "bridge" driver: iptables not found',
    'IptablesMissing',
    false,
  ],
  [
    "iptables v1.8.7 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to insmod?)",
    'KernelLacksIptables',
    false,
  ],
  ['iptables: Failed to initialize nft: Protocol not supported', 'IptablesNft', false],
  ['iptables: No chain/target/match by that name.', 'KernelLacksMatch', false],
  [
    'failed to start daemon: Error saving key file: open /etc/docker/.tmp-key.json123: read-only file system',
    'KeyFileNotWritable',
    false,
  ],
  [
    'failed to start daemon: error initializing graphdriver: driver not supported',
    'StorageDriverFailed',
    false,
  ],
  [
    'failed to start daemon: error initializing graphdriver: /data/docker contains several valid graphdrivers: overlay2, vfs; Please cleanup',
    'StorageDriverAmbiguous',
    true,
  ],
  [
    'failed to start daemon: pid file found, ensure docker is not running or delete /run/docker.pid',
    'PidFileBlocks',
    false,
  ],
  ['failed to start daemon, process with PID 44 is still running', 'PidFileBlocks', false],
  ['failed to start containerd: timeout waiting for containerd to start', 'ContainerdStartTimedOut', false],
  [
    'failed to start daemon: failed to dial "/run/containerd/containerd.sock": context deadline exceeded',
    'ContainerdSocketDead',
    false,
  ],
  ['write /data/docker/x: no space left on device', 'DiskFull', false],
  ['accept4: too many open files; retrying in 1s', 'TooManyFiles', false],
];

for (const [line, reason, isPermanent] of words) {
  test(`"${line.slice(0, 70)}" means ${reason}`, () => {
    const fault = explainEnd(exited, ['starting up', line, 'bye'], dockerdSymptoms);
    assert.deepEqual({ reason: fault.reason, isPermanent: fault.isPermanent }, { reason, isPermanent });
  });
}

test('every symptom has a PascalCase reason and a sentence', () => {
  for (const { reason, message } of dockerdSymptoms) {
    assert.match(reason, /^([A-Z][a-z0-9]+)+$/);
    assert.ok(message.length > 20 && !message.endsWith('.'), message);
  }
});

test('what nobody knows is told with status and last line', () => {
  assert.deepEqual(explainEnd(exited, ['first', 'something new broke'], dockerdSymptoms), {
    reason: 'Ended',
    message: 'It exited with status 1: something new broke',
    isPermanent: false,
  });
});

test('signals, panics and unknown ends have their own words', () => {
  const reason = (ended: Ended, lines: readonly string[] = []): string => explainEnd(ended, lines, []).reason;
  assert.equal(reason({ how: 'signalled', signal: 'SIGKILL' }), 'Killed');
  assert.equal(reason({ how: 'signalled', signal: 'SIGSEGV' }), 'Crashed');
  assert.equal(reason({ how: 'signalled', signal: 'SIGTERM' }), 'Signalled');
  assert.equal(reason({ how: 'exited', code: 2 }, ['panic: oops', 'goroutine 1 [running]:']), 'Crashed');
  assert.equal(reason({ how: 'unknown' }), 'Ended');
});

test('a refused spawn is permanent only where no retry can help', () => {
  assert.equal(explainEnd({ how: 'spawn-failed', errno: 'ENOENT' }, [], []).isPermanent, true);
  assert.equal(explainEnd({ how: 'spawn-failed', errno: 'EAGAIN' }, [], []).isPermanent, false);
});

test('a program is judged by what it is made for', () => {
  const good = { kind: 'file', isExecutable: true, fingerprint: '1' } as const;
  const elf = (machine: number) => ({ ...good, elf: { bits: 64, machine } }) as const;
  const reason = (facts: Parameters<typeof checkProgram>[1], machine = 183): string | undefined =>
    checkProgram('/p', facts, machine)?.reason;
  assert.equal(reason(elf(183)), undefined);
  assert.equal(reason(elf(62)), 'WrongArchitecture');
  assert.equal(reason(elf(40)), undefined, 'a 64-bit arm kernel runs 32-bit programs');
  assert.equal(reason(elf(183), 62), 'WrongArchitecture');
  assert.equal(reason({ ...good, interpreter: '/bin/sh' }), undefined);
  assert.equal(reason(good), 'NotAProgram');
  assert.equal(reason({ ...elf(183), isExecutable: false }), 'NotExecutable');
  assert.equal(reason({ kind: 'absent' }), 'ProgramMissing');
  assert.equal(reason({ kind: 'not-a-file', fingerprint: '1' }), 'ProgramMissing');
});

test('a process that was killed did not end for what it had printed', () => {
  const ended: Ended = { how: 'signalled', signal: 'SIGKILL' };
  const lines = ['bind: address already in use', 'exec: "runc": executable file not found in $PATH'];
  const { reason, isPermanent } = explainEnd(ended, lines, dockerdSymptoms);
  assert.deepEqual({ reason, isPermanent }, { reason: 'Killed', isPermanent: false });
});
