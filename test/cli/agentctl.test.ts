import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { AgentError } from '../../agent/core/agent-error.ts';
import { boardTimeMs } from '../fakes/fake-verbs.ts';
import { privateDirectory, startWay } from '../host/api-way.ts';
import { bundle, finish, run, start } from './agentctl.ts';

const nobody = '/tmp/oh-ctl-nobody.sock';

test('status says what is wrong at 80 columns and answers no', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.board.set('DockerReady', 'true', { reason: 'Ready', message: 'dockerd answers' });
  verbs.board.set('EdgecoreReady', 'false', {
    reason: 'CrashLoop',
    message: 'edgecore ended 5 times in 60 s',
  });
  const { code, stdout, stderr } = await run(socket, 'status');
  assert.equal(code, 1);
  assert.equal(stderr, '');
  assert.match(stdout, /^board +not ready$/m);
  assert.match(stdout, /^edgecore +waiting .*CrashLoop: ended 5 times in 60 s$/m);
  assert.match(stdout, /^EdgecoreReady +false .*CrashLoop: edgecore ended 5 times in 60 s$/m);
});

test('status of a ready board answers yes', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.board.set('DockerReady', 'true', { reason: 'Ready', message: 'dockerd answers' });
  assert.equal((await run(socket, 'status')).code, 0);
});

test('--json prints the wire value and nothing else', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const { stdout, stderr } = await run(socket, 'status', '--json');
  assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(verbs.status())));
  assert.equal(stdout.trimEnd().split('\n').length, 1);
  assert.equal(stderr, '');
});

test('a watch prints one message a line until Ctrl-C', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const child = start(socket, ['status', '--watch', '--json']);
  const outcome = finish(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  verbs.board.record('unit.ended', { unit: 'dockerd' });
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  child.kill('SIGINT');
  const { code, stdout } = await outcome;
  assert.equal(code, 130);
  const types = stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);
  assert.deepEqual(types.slice(0, 2), ['snapshot', 'event']);
});

test('a watch ends with the reason when the agent stops', async (t) => {
  const way = await startWay(t);
  const child = start(way.path, ['status', '--watch']);
  const outcome = finish(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  await way.listener.stop();
  const { code, stderr } = await outcome;
  assert.equal(code, 3);
  assert.match(stderr, /Cannot watch any longer: The agent stops; start again with/);
});

test('an agent that does not run is 3 and says how to start it', async () => {
  const { code, stderr, stdout } = await run(nobody, 'status');
  assert.equal(code, 3);
  assert.equal(stdout, '');
  assert.match(stderr, /^agentctl: Cannot reach the agent .*begetctl start_service oh_edge_agent`\n$/);
});

const wrong: readonly (readonly string[])[] = [
  ['stauts'],
  ['status', '--jsn'],
  ['start'],
  ['start', 'a', 'b'],
  ['logs', '-n', 'many'],
  ['logs', '-n', '-5'],
  ['logs', '--since', 'yesterday'],
  ['wait', '--timeout', 'soon'],
  ['wait', '--for', 'godot'],
  ['shutdown', '--for', 'fun'],
  ['completion', 'tcsh'],
  ['config'],
  ['config', 'explain'],
  [],
];
for (const args of wrong) {
  test(`"agentctl ${args.join(' ')}" is wrong use: 2, said on stderr only`, async () => {
    const { code, stdout, stderr } = await run(nobody, ...args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.notEqual(stderr, '');
  });
}

test('a mistyped command is told the likely one', async () => {
  assert.match((await run(nobody, 'stauts')).stderr, /Did you mean status\?/);
});

test('help is no mistake', async () => {
  for (const args of [
    ['--help'],
    ['help'],
    ['logs', '--help'],
    ['config', '--help'],
    ['config', 'check', '--help'],
  ]) {
    const { code, stdout } = await run(nobody, ...args);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: agentctl/);
  }
});

test('the socket of the option wins over that of the environment', async (t) => {
  const { path: socket } = await startWay(t);
  assert.equal((await run(nobody, '--socket', socket, 'version')).stdout.includes('not reachable'), false);
});

test('a unit is stopped and its new state shown', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const { code, stdout } = await run(socket, 'stop', 'dockerd');
  assert.equal(code, 0);
  assert.equal(stdout, 'dockerd: stopping (Asked), wanted down\n');
  assert.equal(verbs.units.get('dockerd')?.wanted, 'down');
});

test('a refusal is 4 and keeps the words of the agent', async (t) => {
  const { path: socket } = await startWay(t);
  const { code, stderr } = await run(socket, 'restart', 'nobody');
  assert.equal(code, 4);
  assert.equal(stderr, 'agentctl: Cannot find unit "nobody": want one of dockerd, edgecore\n');
});

test('a unit name that would climb is refused by the agent, not by luck', async (t) => {
  const { path: socket } = await startWay(t);
  const { code, stderr } = await run(socket, 'restart', '../../etc/passwd');
  assert.equal(code, 2);
  assert.match(stderr, /want a unit name/);
});

test('a bug of the agent is 70', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.failure = new TypeError('oops');
  const { code, stderr } = await run(socket, 'undo');
  assert.equal(code, 70);
  assert.doesNotMatch(stderr, /oops/);
});

test('a timed out answer is 5', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.failure = new AgentError('TIMED_OUT', 'Cannot undo: not done within 5 s; try again');
  assert.equal((await run(socket, 'undo')).code, 5);
});

test('a plan without steps is yes, one with steps is no and shows what and why', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const calm = await run(socket, 'plan');
  assert.equal(calm.code, 0);
  assert.match(calm.stdout, /^Nothing to do$/m);
  verbs.steps = [{ id: 'a', kind: 'rule', what: 'add rule 8500', why: 'containers have no way out' }];
  const due = await run(socket, 'plan');
  assert.equal(due.code, 1);
  assert.match(due.stdout, /^1\. +add rule 8500\n +containers have no way out$/m);
});

test('apply shows what it did and is silent about nothing', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.steps = [{ id: 'a', kind: 'rule', what: 'add rule 8500', why: 'containers have no way out' }];
  assert.match((await run(socket, 'apply')).stdout, /^1\. +add rule 8500/);
  const again = await run(socket, 'apply');
  assert.equal(again.stdout, 'Nothing to do\n');
  assert.equal(again.code, 0);
});

test('doctor shows the worst first with its fix, hides what is fine, and answers no for errors only', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const fine = { seen: 'y', wanted: 'y', why: '', fix: '' };
  verbs.findings = [
    { id: 'kernel.veth', severity: 'ok', title: 'CONFIG_VETH', ...fine },
    {
      id: 'clock',
      severity: 'warning',
      title: 'Clock',
      seen: '1970',
      wanted: 'today',
      why: 'TLS fails',
      fix: 'set it',
    },
  ];
  assert.equal((await run(socket, 'doctor')).code, 0);
  assert.equal((await run(socket, 'doctor', '--strict')).code, 1);
  verbs.findings = [
    ...verbs.findings,
    {
      id: 'kernel.overlay',
      severity: 'error',
      title: 'Overlay',
      seen: 'n',
      wanted: 'y',
      why: 'no images',
      fix: 'build it',
    },
  ];
  const { code, stdout } = await run(socket, 'doctor');
  assert.equal(code, 1);
  assert.ok(stdout.indexOf('kernel.overlay') < stdout.indexOf('(clock)'));
  assert.doesNotMatch(stdout, /kernel\.veth/);
  assert.match(stdout, /fix: build it/);
  assert.match(stdout, /3 checks: 1 error, 1 warning, 0 info, 1 ok\n$/);
  assert.match((await run(socket, 'doctor', '--all')).stdout, /kernel\.veth/);
});

test('logs are cut, searched and dated as asked', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.print('dockerd', 'too early', boardTimeMs - 60_000);
  verbs.print('dockerd', 'API listen on', boardTimeMs);
  verbs.print('dockerd', 'other');
  const { code, stdout } = await run(
    socket,
    'logs',
    'dockerd',
    '--since',
    '2024-12-31T23:59:30Z',
    '--grep',
    'LISTEN',
  );
  assert.equal(code, 0);
  assert.match(stdout, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d API listen on\n$/);
  assert.equal((await run(socket, 'logs', 'dockerd', '-n', '1')).stdout.endsWith('other\n'), true);
});

test('followed logs go on with new lines until Ctrl-C', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.print('dockerd', 'old');
  const child = start(socket, ['logs', '-f', 'dockerd', '--json']);
  const outcome = finish(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  verbs.print('dockerd', 'new');
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  child.kill('SIGINT');
  const { code, stdout } = await outcome;
  assert.equal(code, 130);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { text: string }).text),
    ['old', 'new'],
  );
});

test("the agent's own entries are shown as words, not as JSON", async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const entry = {
    at: 'x',
    level: 'warn',
    event: 'unit.ended',
    unit: 'dockerd',
    message: 'it is gone',
    code: 1,
  };
  verbs.lines.push({ atMs: boardTimeMs, unit: 'agent', stream: 'agent', text: JSON.stringify(entry) });
  verbs.lines.push({ atMs: boardTimeMs, unit: 'agent', stream: 'agent', text: 'not an entry' });
  const lines = (await run(socket, 'logs')).stdout.split('\n');
  assert.match(lines[0] ?? '', /:\d\d warn {2}unit\.ended unit=dockerd message="it is gone" code=1$/);
  assert.match(lines[1] ?? '', / not an entry$/);
});

test('a reader that has seen enough of the log is no error', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  for (let number = 0; number < 5_000; number += 1) verbs.print('dockerd', `${number} ${'x'.repeat(100)}`);
  const child = start(socket, ['logs', 'dockerd', '-n', '5000']);
  const outcome = finish(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  child.stdout?.destroy();
  const { code, stderr } = await outcome;
  assert.equal(code, 0);
  assert.equal(stderr, '');
});

test('wait is over as soon as it is so', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.board.set('DockerReady', 'false', { reason: 'Starting', message: 'not yet' });
  const child = start(socket, ['wait', '--timeout', '20s']);
  const outcome = finish(child);
  await new Promise<void>((resolve) => {
    const isWatched = (): void => {
      if (verbs.watchers() > 0) resolve();
      else setImmediate(isWatched);
    };
    isWatched();
  });
  verbs.board.set('DockerReady', 'true', { reason: 'Ready', message: 'dockerd answers' });
  assert.equal((await outcome).code, 0);
});

test('wait waits for an agent that is not up yet', async (t) => {
  const directory = await privateDirectory(t);
  const socket = path.join(directory, 'agent.sock');
  const child = start(socket, ['wait', '--for', 'unit=dockerd', '--timeout', '20s']);
  const outcome = finish(child);
  const { makeWay } = await import('../host/api-way.ts');
  const way = makeWay(socket);
  await way.listener.start();
  t.after(() => way.listener.stop());
  assert.equal((await outcome).code, 0);
});

test('a wait that is over too late is 5 and says what was seen last', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.board.set('DockerReady', 'false', { reason: 'ProbeFailed', message: 'no answer' });
  const { code, stderr } = await run(socket, 'wait', '--timeout', '3s');
  assert.equal(code, 5);
  assert.match(stderr, /within 3 s: last seen: DockerReady ProbeFailed; see `agentctl status`/);
});

test('a wait for a unit that does not exist is refused at once', async (t) => {
  const { path: socket } = await startWay(t);
  const { code, stderr } = await run(socket, 'wait', '--for', 'unit=dokcerd');
  assert.equal(code, 4);
  assert.match(stderr, /Cannot wait for unit "dokcerd": there are dockerd, edgecore\n$/);
});

test('the agent is restarted like a unit, and its next life is waited for', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  assert.deepEqual(await run(socket, 'restart', 'agent'), {
    code: 0,
    stdout: 'agent: restarted as pid 100; its units ran on\n',
    stderr: '',
  });
  assert.equal(verbs.restarts, 1);
});

test('output that the disk does not take is 4, not silence', async (t) => {
  if (!existsSync('/dev/full')) return t.skip('no /dev/full here');
  const child = spawn(process.execPath, [bundle, 'config', 'default'], {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  });
  const { code, stderr } = await finish(child);
  assert.equal(code, 4);
  assert.match(stderr, /Cannot write the output: ENOSPC.*make room/);
});

test('selftest shows each rung and answers no with the fault', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.selftestDocument = {
    ok: false,
    steps: [
      { name: 'engine', ok: true, durationMs: 12, output: 'dockerd 20.10.24 on arm64' },
      {
        name: 'run',
        ok: false,
        durationMs: 1_500,
        output: '',
        fault: { reason: 'MqueueMissing', message: 'the kernel needs CONFIG_POSIX_MQUEUE' },
      },
    ],
  };
  const { code, stdout } = await run(socket, 'selftest', '--egress', '10.0.2.2:443', '--dns', 'example.org');
  assert.equal(code, 1);
  assert.deepEqual(verbs.asked.selftest, { dnsName: 'example.org', egress: '10.0.2.2:443' });
  assert.match(stdout, /^engine +ok +12 ms +dockerd 20\.10\.24 on arm64$/m);
  assert.match(stdout, /^run +FAILED +1 s/m);
  assert.match(stdout, /MqueueMissing: the kernel needs CONFIG_POSIX_MQUEUE/);
});

test('events show what happened after a number', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.board.record('unit.ended', { unit: 'dockerd', code: 1 });
  verbs.board.record('unit.started', { unit: 'dockerd', pid: 7 });
  const { stdout } = await run(socket, 'events', '--after', '1');
  assert.match(stdout, /^2 .*unit\.started +unit=dockerd pid=7\n$/);
});

test('the ledger shows why, with its evidence', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const record = {
    kind: 'restart',
    subject: 'dockerd',
    reason: 'ProbeFailed',
    bootId: 'b',
    atMs: boardTimeMs,
  } as const;
  verbs.records = [1, 2, 3].map((sequence) => ({
    ...record,
    sequence,
    message: `no answer ${sequence}`,
    evidence: ['panic'],
  }));
  const { stdout } = await run(socket, 'ledger', '--after', '1', '-n', '1');
  assert.match(stdout, /^3 .* restart +dockerd +ProbeFailed: no answer 3\n +panic\n$/);
});

test('version works without an agent and names both with one', async (t) => {
  const alone = await run(nobody, 'version');
  assert.equal(alone.code, 0);
  assert.equal(alone.stdout, 'agentctl 0.1.0\nagent    not reachable\n');
  const { path: socket } = await startWay(t);
  assert.match(
    (await run(socket, 'version')).stdout,
    /^agent {4}0\.1\.0 \(wire 1, node v22\.0\.0, linux arm64\)$/m,
  );
});

test('doctor looks by itself where no agent runs, and says so', async () => {
  const { code, stdout, stderr } = await run(nobody, 'doctor', '--json');
  const { findings, worst } = JSON.parse(stdout) as { findings: unknown[]; worst: string };
  assert.ok(findings.length > 0);
  assert.equal(code, worst === 'error' ? 1 : 0);
  assert.match(stderr, /Cannot reach the agent.*\n.*looking at the board without the agent/);
});
