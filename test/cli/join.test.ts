import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { boardTimeMs } from '../fakes/fake-verbs.ts';
import { privateDirectory, startWay } from '../host/api-way.ts';
import { bundle, finish, run, start } from './agentctl.ts';

const secret = 'b0a1.eyJhbGciOiJIUzI1NiJ9.c2VjcmV0';

test('every option of join reaches the agent as a field of the order, and nothing else does', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const given = [
    ['--cloudcore', '10.0.2.2:10000'],
    ['--token', secret],
    ['--node-name', 'rk-17'],
    ['--label', 'site=hall-3'],
    ['--label', 'empty='],
    ['--taint', 'edge=true:NoSchedule'],
    ['--kubeedge', 'v1.22.1'],
    ['--runtime', 'cri'],
    ['--cri-endpoint', 'unix:///run/x.sock'],
    ['--cgroup-driver', 'cgroupfs'],
    ['--pause-image', 'pause:3.6'],
    ['--ca-hash', 'ab'],
    ['--cert-port', '10002'],
    ['--mqtt', 'external'],
    ['--mqtt-server', 'tcp://127.0.0.1:1883'],
    ['--edge-stream', 'on'],
    ['--meta-server', 'off'],
    ['--service-bus', 'on'],
    ['--take-name'],
    ['--dry-run'],
  ];
  const { code, stderr } = await run(socket, 'join', ...given.flat());
  assert.equal(code, 0, stderr);
  assert.deepEqual(verbs.joinOrder, {
    cloudcore: '10.0.2.2:10000',
    token: secret,
    nodeName: 'rk-17',
    labels: { site: 'hall-3', empty: '' },
    taints: ['edge=true:NoSchedule'],
    kubeedge: 'v1.22.1',
    runtime: 'cri',
    criEndpoint: 'unix:///run/x.sock',
    cgroupDriver: 'cgroupfs',
    pauseImage: 'pause:3.6',
    caHash: 'ab',
    certPort: 10_002,
    mqtt: 'external',
    mqttServer: 'tcp://127.0.0.1:1883',
    edgeStream: true,
    metaServer: false,
    serviceBus: true,
    takeName: true,
    dryRun: true,
  });
});

test('what is not given is not in the order, so that an earlier join keeps it', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  await run(socket, 'rejoin', '--node-name', 'rk-18');
  assert.deepEqual(verbs.joinOrder, { nodeName: 'rk-18' });
});

test('a token comes from a file without its line end', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const file = path.join(await privateDirectory(t), 'token');
  await writeFile(file, `${secret}\n`, { mode: 0o600 });
  await run(socket, 'join', '--token-file', file);
  assert.deepEqual(verbs.joinOrder, { token: secret });
});

test('a token comes from the standard input, be it a pipe, a file or a socket as sshd gives it', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const file = path.join(await privateDirectory(t), 'token');
  const env = { PATH: process.env['PATH'], OH_EDGE_SOCKET: socket };
  const command = `"${process.execPath}" "${bundle}" join --token-file -`;
  const ways = {
    pipe: `echo ${secret}1 | ${command}`,
    file: `${command} <${file}`,
    socket: `exec ${command}`,
  };
  const taken: string[] = [];
  for (const [way, line] of Object.entries(ways)) {
    await writeFile(file, `${secret}2\n`);
    // What Node calls a pipe is a pair of sockets.
    const child = spawn('/bin/sh', ['-c', line], { env, stdio: 'pipe' });
    child.stdin.end(`${secret}3\n`);
    const { stderr } = await finish(child);
    taken.push(`${way} ${JSON.stringify(verbs.joinOrder)} ${stderr}`.trim());
  }
  const wanted = ['pipe', 'file', 'socket'].map((way, at) => `${way} {"token":"${secret}${at + 1}"}`);
  assert.deepEqual(taken, wanted);
});

test('a token among the arguments is gone from the process list while the join goes on', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  let open = (): void => undefined;
  verbs.gate = new Promise((resolve) => {
    open = resolve;
  });
  const child = start(socket, ['join', '--token', secret]);
  const outcome = finish(child);
  while (verbs.joinOrder === undefined) await new Promise((resolve) => setImmediate(resolve));
  const commandLine = await readFile(`/proc/${child.pid}/cmdline`, 'utf8');
  open();
  await outcome;
  assert.doesNotMatch(commandLine, /eyJ|c2VjcmV0/);
});

test('neither output of a join that fails shows the token', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.joinDocument = {
    joined: false,
    dryRun: false,
    steps: [],
    kept: [],
    problems: [
      { severity: 'error', reason: 'TokenExpired', message: 'The token ended yesterday; get a fresh one' },
      { severity: 'warning', reason: 'ClockUnsure', message: 'The clock was never set; check it' },
    ],
  };
  const { code, stdout, stderr } = await run(socket, 'join', '--token', secret);
  assert.equal(code, 1);
  assert.match(stdout, /^error +TokenExpired: The token ended yesterday; get a fresh one$/m);
  assert.match(stdout, /^warning +ClockUnsure/m);
  assert.match(stdout, /Not joined: nothing was changed\n$/);
  assert.doesNotMatch(stdout + stderr, /eyJ/);
});

test('a join that waits for the cloud says what it waits for', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const outcome = { reason: 'CloudUnreachable', message: 'no answer from 10.0.2.2' };
  verbs.joinDocument = {
    joined: false,
    dryRun: false,
    problems: [],
    steps: [],
    kept: ['modules.edged'],
    outcome,
  };
  const { code, stdout } = await run(socket, 'join');
  assert.equal(code, 1);
  assert.match(stdout, /Kept as the operator set them: modules\.edged/);
  assert.match(stdout, /Not joined yet: CloudUnreachable: no answer from 10\.0\.2\.2\n$/);
});

const wrong: readonly (readonly string[])[] = [
  ['join', '--label', 'noequals'],
  ['join', '--token', 'a', '--token-file', 'b'],
  ['join', '--runtime', 'podman'],
  ['join', '--edge-stream', 'maybe'],
  ['join', '--cert-port', '70000'],
];
for (const args of wrong) {
  test(`"agentctl ${args.join(' ')}" is wrong use`, async () => {
    const { code, stderr } = await run('/tmp/oh-ctl-nobody.sock', ...args);
    assert.equal(code, 2, stderr);
  });
}

test('leave removes the pods unless they are kept, and says what is left to do', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.steps = [{ id: 'a', kind: 'stop', what: 'stop edgecore', why: 'it is the node' }];
  const dry = await run(socket, 'leave', '--dry-run');
  assert.equal(dry.code, 0);
  assert.match(dry.stdout, /^1\. +stop edgecore$/m);
  assert.match(dry.stdout, /Would leave as node rk-17; nothing was changed/);
  const { code, stdout } = await run(socket, 'leave', '--remove-images');
  assert.equal(code, 0);
  assert.match(
    stdout,
    /Left the cluster; this board was node rk-17\nNext: images are gone\nNext: kubectl delete node rk-17\n$/,
  );
});

test('edge shows the cluster, or the way to one', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const alone = await run(socket, 'edge');
  assert.equal(alone.code, 1);
  assert.match(alone.stdout, /Not joined; join a cluster with `agentctl join`/);
  verbs.edgeDocument = {
    joined: true,
    node: 'rk-17',
    cloud: '10.0.2.2:10000',
    kubeedge: 'v1.22.1',
    runtime: 'cri',
    joinedAtMs: boardTimeMs,
    certificate: { notAfterMs: boardTimeMs, reason: 'Valid', message: 'good' },
  };
  const { code, stdout } = await run(socket, 'edge');
  assert.equal(code, 0);
  assert.match(stdout, /^edgecore +v1\.22\.1$/m);
  assert.match(stdout, /^certificate +Valid: good until 20/m);
});
