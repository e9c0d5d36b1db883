import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainEdgecoreEnd } from '../../agent/edge/edgecore-faults.ts';
import { explainMissingLink } from '../../agent/edge/link-faults.ts';

const exited = (code: number) => ({ how: 'exited', code }) as const;
const klog = (text: string): string => `F0823 12:34:56.789012    1234 server.go:72] ${text}`;

/** Last words as edgecore of the release named prints them, the exit code they come with, the reason, and whether trying again is useless. */
const ends: readonly (readonly [string, number, string, boolean])[] = [
  [klog('Error: token credentials are in the wrong format'), 1, 'TokenMalformed', true],
  [
    'panic: failed to apply the edge certs, err: token [secret] credentials are in the wrong format',
    2,
    'TokenMalformed',
    true,
  ],
  [klog('Error: failed to validate CA certificate. tokenCAhash: ab, CAhash: cd'), 1, 'WrongAuthority', true],
  [
    klog('Error: failed to get edge certificate from the cloudcore, error: Invalid authorization token'),
    1,
    'TokenRejected',
    true,
  ],
  [
    'panic: failed to apply the edge certs, err: failed to get edge certificate from the cloudcore, error: failed to call http, code: 401, message: token validation failure, err: token has invalid claims: token is expired',
    2,
    'TokenExpired',
    true,
  ],
  [
    'panic: failed to apply the edge certs, err: failed to get edge certificate from the cloudcore, error: failed to call http, code: 401, message: token validation failure, err: signature is invalid',
    2,
    'TokenRejected',
    true,
  ],
  [
    klog(
      'Error: failed to get CA certificate, err: Get "https://10.0.0.5:10002/ca.crt": dial tcp 10.0.0.5:10002: connect: connection refused',
    ),
    1,
    'CloudRefused',
    false,
  ],
  [
    'panic: failed to apply the edge certs, err: failed to get CA certificate, err: Get "https://c:10002/ca.crt": dial tcp: lookup c: no such host',
    2,
    'CloudNameUnknown',
    false,
  ],
  [
    klog('Error: failed to get CA certificate, err: dial tcp 10.0.0.5:10002: connect: no route to host'),
    1,
    'CloudNoRoute',
    false,
  ],
  [
    klog('Error: failed to get CA certificate, err: dial tcp 10.0.0.5:10002: i/o timeout'),
    1,
    'CloudTimedOut',
    false,
  ],
  [
    klog(
      'Error: failed to get edge certificate from the cloudcore, error: x509: certificate has expired or is not yet valid: current time 1970-01-01T00:00:09Z is before 2026-01-01T00:00:00Z',
    ),
    1,
    'ClockWrong',
    false,
  ],
  [
    klog(
      'Error: x509: certificate has expired or is not yet valid: current time 2036-01-01T00:00:00Z is after 2026-01-01T00:00:00Z',
    ),
    1,
    'CloudCertificateExpired',
    false,
  ],
  [
    klog('Error: x509: certificate is valid for 10.0.0.4, 127.0.0.1, not 10.0.0.5'),
    1,
    'CloudNameMismatch',
    false,
  ],
  ['panic: x509: certificate signed by unknown authority', 2, 'WrongAuthority', true],
  [
    klog(
      'Start edged failed, err: failed to run Kubelet: validate service connection: validate CRI v1 runtime API for endpoint "unix:///run/containerd/containerd.sock": rpc error: code = Unavailable',
    ),
    2,
    'RuntimeNotReady',
    false,
  ],
  [
    klog(
      'Start edged failed, err: failed to run Kubelet: validate service connection: validate CRI v1 runtime API for endpoint "unix:///x.sock": rpc error: code = Unimplemented desc = unknown service runtime.v1.RuntimeService',
    ),
    2,
    'RuntimeTooOld',
    true,
  ],
  [
    klog(
      'Start edged failed, err: failed to run Kubelet: misconfiguration: kubelet cgroup driver: "systemd" is different from docker cgroup driver: "cgroupfs"',
    ),
    1,
    'CgroupDriverMismatch',
    true,
  ],
  [
    klog(
      'Failed to start ContainerManager system validation failed - Following Cgroup subsystem not mounted: [memory]',
    ),
    1,
    'CgroupMissing',
    false,
  ],
  [
    klog(
      "Start edged failed, err: failed to run Kubelet: invalid configuration: cgroup-root [] doesn't exist",
    ),
    1,
    'CgroupTrouble',
    false,
  ],
  [
    'E0823 12:34:56.7 1 edged.go:86] init new edged error, no default routes found in "/proc/net/route"',
    1,
    'NoDefaultRoute',
    false,
  ],
  [
    'E0823 12:34:56.7 1 eventbus.go:95] Launch internal mqtt broker failed, listen tcp 127.0.0.1:1884: bind: address already in use',
    1,
    'MqttPortBusy',
    false,
  ],
  [
    'E0823 12:34:56.7 1 server.go:205] "Failed to listen and serve" err="listen tcp 127.0.0.1:10350: bind: address already in use"',
    1,
    'HealthPortBusy',
    false,
  ],
  [
    klog('failed to start DMI Server: listen unix /etc/kubeedge/dmi.sock: bind: no such file or directory'),
    1,
    'DmiSocketFailed',
    false,
  ],
  [
    klog(
      'failed to check the running environment: kubelet should not running on edge node when running edgecore',
    ),
    1,
    'EnvironmentRefused',
    false,
  ],
  [
    klog('error converting YAML to JSON: yaml: line 4: did not find expected key'),
    1,
    'ConfigUnreadable',
    true,
  ],
  [
    klog(
      'failed to update edgecore config file, err: open /etc/kubeedge/config/edgecore.yaml: read-only file system',
    ),
    1,
    'ConfigNotWritable',
    false,
  ],
  [`${klog('[')}\n  Mode: Invalid value: 7: Mode need in [0,2] range\n]`, 1, 'ConfigInvalid', true],
  [klog('unrecognized feature gate: nonsense'), 1, 'ConfigInvalid', true],
  [
    'E1124 04:05:06.983761    2191 kubelet.go:1431] "Failed to start ContainerManager" err="systemd not running on this host, cannot use systemd cgroups manager"',
    1,
    'CgroupDriverMismatch',
    true,
  ],
  [
    [
      'E1124 04:03:57.945439    1758 server.go:119] "Unhandled Error" err="listen tcp 127.0.0.1:10550: bind: address already in use"',
      'I1124 04:03:57.945739    1758 edged.go:137] Starting edged...',
      'W1124 04:03:57.948161    1758 edged.go:165] Stop sync pod',
      'panic: runtime error: invalid memory address or nil pointer dereference',
      '[signal SIGSEGV: segmentation violation code=0x1 addr=0x60 pc=0x29cd054]',
    ].join('\n'),
    2,
    'MetaServerPortBusy',
    false,
  ],
  ['Error: unknown flag: --nonsense', 1, 'FlagUnknown', true],
  [klog('database disk image is malformed'), 1, 'DatabaseBroken', false],
  [klog('write /var/lib/kubeedge/edgecore.db: no space left on device'), 1, 'DiskFull', false],
];

for (const [line, code, reason, isPermanent] of ends) {
  test(`edgecore's last words give ${reason}: ${line.replace(/^F.*?\] /, '').slice(0, 70)}`, () => {
    const fault = explainEdgecoreEnd(exited(code), [
      'I0823 earlier',
      ...line.split('\n'),
      '',
      'goroutine 98 [running]:',
    ]);
    assert.deepEqual([fault.reason, fault.isPermanent], [reason, isPermanent]);
    assert.match(fault.message, /^\S.*[^.]$/);
  });
}

test('an end that nobody asked for is a fault, whatever its status', () => {
  assert.equal(explainEdgecoreEnd(exited(0), []).reason, 'EndedUnasked');
  assert.equal(explainEdgecoreEnd(exited(255), ['E0823 something else']).reason, 'Ended');
  assert.equal(explainEdgecoreEnd({ how: 'signalled', signal: 'SIGKILL' }, []).reason, 'Killed');
});

test('only the process that ended counts, not the one before it', () => {
  const version = 'I0823 12:34:56.7 1 server.go:102] Version: v1.22.1';
  const older = [
    version,
    klog('Start edged failed, err: failed to run Kubelet: containerd.sock: no such file'),
  ];
  const mqtt = 'E0823 12:34:56.7 1 eventbus.go:95] Launch internal mqtt broker failed, address in use';
  assert.equal(explainEdgecoreEnd(exited(1), [...older, version, mqtt]).reason, 'MqttPortBusy');
  assert.equal(
    explainEdgecoreEnd(exited(1), [...older, klog('error converting YAML to JSON: yaml: x')]).reason,
    'ConfigUnreadable',
  );
  assert.equal(
    explainEdgecoreEnd({ how: 'signalled', signal: 'SIGKILL' }, [...older, version]).reason,
    'Killed',
  );
  const both = [
    version,
    older[1] ?? '',
    'panic: runtime error: invalid memory address or nil pointer dereference',
  ];
  assert.equal(explainEdgecoreEnd(exited(2), both).reason, 'RuntimeNotReady');
});

test('what edgecore says in passing is no fault: 1.15 names its socket at every start', () => {
  const said = ['I1124 03:45:54.904543    3566 server_others.go:13] init uds socket: /etc/kubeedge/dmi.sock'];
  assert.equal(explainEdgecoreEnd(exited(0), said).reason, 'EndedUnasked');
  assert.equal(explainEdgecoreEnd(exited(1), said).reason, 'Ended');
});

test('a program whose loader is missing is named as a glibc build', () => {
  const fault = explainEdgecoreEnd({ how: 'spawn-failed', errno: 'ENOENT' }, []);
  assert.deepEqual([fault.reason, fault.isPermanent], ['LoaderMissing', true]);
});

const failed = (why: string): string =>
  `E0823 12:00:00.0 1 websocket.go:93] Init websocket connection failed ${why}`;
const success = 'I0823 12:00:00.0 1 websocket.go:96] Websocket connect to cloud access successful';
const broken = 'W0823 12:00:00.0 1 edgehub.go:136] connection is broken, will reconnect after 30s';

const links: readonly (readonly [readonly string[], string])[] = [
  [[failed('dial tcp 10.0.0.5:10000: connect: connection refused')], 'CloudRefused'],
  [[failed('dial tcp: lookup cloud: no such host')], 'CloudNameUnknown'],
  [[failed('dial tcp 10.0.0.5:10000: connect: network is unreachable')], 'CloudNoRoute'],
  [[failed('dial tcp 10.0.0.5:10000: i/o timeout')], 'CloudTimedOut'],
  [
    [
      failed(
        'x509: certificate has expired or is not yet valid: current time 1970-01-01T00:00:00Z is before 2026',
      ),
    ],
    'ClockWrong',
  ],
  [
    [failed('x509: certificate has expired or is not yet valid: current time 2036 is after 2026')],
    'CloudCertificateExpired',
  ],
  [[failed('remote error: tls: expired certificate')], 'CertificateExpired'],
  [[failed('remote error: tls: bad certificate')], 'CertificateRejected'],
  [[failed('x509: certificate signed by unknown authority')], 'WrongAuthority'],
  [[failed('websocket: bad handshake')], 'CloudNotCloudcore'],
  [[success, broken], 'LinkBroken'],
  [[success, broken, success, broken, success, broken, success, broken], 'SessionTaken'],
  [[], 'Connecting'],
  [[failed('connect: connection refused'), success], 'Connecting'],
];

for (const [lines, reason] of links) {
  test(`a missing link is ${reason}: ${(lines.at(-1) ?? 'nothing said').slice(30, 100)}`, () => {
    assert.equal(explainMissingLink(lines).reason, reason);
  });
}
