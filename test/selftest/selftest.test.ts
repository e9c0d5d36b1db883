import assert from 'node:assert/strict';
import test from 'node:test';
import { AgentError, isAgentError } from '../../agent/core/agent-error.ts';
import { Selftest } from '../../agent/selftest/selftest.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeEngine, soundBoard } from '../fakes/fake-engine.ts';
import { elfFile } from './elf-file.ts';

const signal = new AbortController().signal;

function setUp(): { engine: FakeEngine; selftest: Selftest; clock: FakeClock } {
  const engine = new FakeEngine();
  const clock = new FakeClock();
  let count = 0;
  const selftest = new Selftest({
    docker: engine,
    clock,
    readBusybox: () => Promise.resolve(elfFile({ machine: 62, bits: 64 })),
    readTcp: (port) => {
      const [container] = engine.containers.values();
      return Promise.resolve(port === 49_153 ? `token ${container?.cmd[5]}\n` : '');
    },
    newToken: () => {
      count += 1;
      return `token-${count}`;
    },
  });
  return { engine, selftest, clock };
}

async function brokenAt(selftest: Selftest): Promise<{ name: string; reason: string; message: string }> {
  const { ok, steps } = await selftest.run({}, signal);
  assert.equal(ok, false);
  const broken = steps.find((step) => !step.ok);
  return {
    name: broken?.name ?? '',
    reason: broken?.fault?.reason ?? '',
    message: broken?.fault?.message ?? '',
  };
}

test('a sound board climbs every rung and keeps nothing', async () => {
  const { engine, selftest } = setUp();
  const { ok, steps } = await selftest.run({}, signal);
  assert.equal(ok, true, JSON.stringify(steps));
  assert.deepEqual(
    steps.map(({ name }) => name),
    ['engine', 'image', 'run', 'bridge', 'memory-limit'],
  );
  assert.match(steps[2]?.output ?? '', /^token token-1\nkernel /);
  assert.equal(engine.containers.size, 0);
  assert.equal(engine.images.size, 0);
});

test('name and address are tried where they are wished', async () => {
  const { selftest } = setUp();
  const { steps } = await selftest.run({ dnsName: 'example.org', egress: '10.0.2.2:443' }, signal);
  assert.deepEqual(
    steps.slice(5).map(({ name, ok }) => [name, ok]),
    [
      ['dns', true],
      ['egress', true],
    ],
  );
});

test('a published port is tried where it is wished', async () => {
  const { engine, selftest } = setUp();
  const { steps } = await selftest.run({ publish: true }, signal);
  assert.equal(steps.at(-1)?.output, '127.0.0.1:49153 answered "token token-3"');
  assert.equal(engine.containers.size, 0);
});

test('a published port whose program never answers is a fault of the port, not of dockerd', async () => {
  const engine = new FakeEngine();
  const clock = new FakeClock();
  const readBusybox = () => Promise.resolve(elfFile({ machine: 62, bits: 64 }));
  const readTcp = (_port: number, until: AbortSignal): Promise<string> =>
    new Promise((_resolve, reject) =>
      until.addEventListener('abort', () => reject(until.reason as Error), { once: true }),
    );
  const selftest = new Selftest({ docker: engine, clock, readBusybox, readTcp, newToken: () => 't' });
  let isDone = false;
  const running = selftest.run({ publish: true }, signal).finally(() => {
    isDone = true;
  });
  while (!isDone) await clock.advance(500);
  assert.equal((await running).steps.at(-1)?.fault?.reason, 'PublishFailed');
});

test('a published port that leads elsewhere is a fault after some patience', async () => {
  const engine = new FakeEngine();
  const clock = new FakeClock();
  const readBusybox = () => Promise.resolve(elfFile({ machine: 62, bits: 64 }));
  const readTcp = () => Promise.reject(new Error('connect ECONNREFUSED'));
  const selftest = new Selftest({ docker: engine, clock, readBusybox, readTcp, newToken: () => 't' });
  let isOver = false;
  const running = selftest.run({ publish: true }, signal).finally(() => {
    isOver = true;
  });
  while (!isOver) await clock.advance(500);
  const { steps } = await running;
  assert.equal(steps.at(-1)?.fault?.reason, 'PublishFailed');
  assert.match(steps.at(-1)?.output ?? '', /ECONNREFUSED/);
  assert.equal(engine.containers.size, 0);
});

test('a container that says the token of another run is not believed', async () => {
  const { engine, selftest } = setUp();
  engine.play = () => ({ output: 'token of-yesterday\n', exitCode: 0 });
  assert.deepEqual((await brokenAt(selftest)).name, 'run');
});

test('a container that says its token but fails is not believed', async () => {
  const { engine, selftest } = setUp();
  engine.play = (container) => ({ ...soundBoard(container), exitCode: 139 });
  const { reason, message } = await brokenAt(selftest);
  assert.equal(reason, 'OutputWrong');
  assert.match(message, /exit code 139/);
});

test('an engine that nobody answers for is named and nothing else is tried', async () => {
  const { engine, selftest } = setUp();
  engine.fail = [{ call: /version/, error: new AgentError('TOOL_FAILED', 'ENOENT') }];
  const { name, reason } = await brokenAt(selftest);
  assert.deepEqual([name, reason], ['engine', 'DockerUnreachable']);
  assert.equal(engine.calls.filter((call) => call.startsWith('POST')).length, 0);
});

test('an engine whose containerd hangs is named: it answers pings but no version', async () => {
  const { engine, selftest } = setUp();
  engine.fail = [{ call: /version/, error: new AgentError('TIMED_OUT', '20000 ms') }];
  assert.equal((await brokenAt(selftest)).reason, 'DockerHung');
});

test('what an earlier run left behind is removed first', async () => {
  const { engine, selftest } = setUp();
  await selftest.run({}, signal);
  engine.images.set('oh-edge-agent/selftest:1', new Map());
  await engine.request(
    {
      method: 'POST',
      path: '/containers/create',
      timeoutMs: 1,
      body: {
        Image: 'oh-edge-agent/selftest:1',
        Cmd: [],
        Labels: {},
        HostConfig: { NetworkMode: 'none', Memory: 0 },
      },
    },
    signal,
  );
  await selftest.run({}, signal);
  assert.equal(engine.containers.size, 0);
});

test('a container that cannot be started is removed all the same', async () => {
  const { engine, selftest } = setUp();
  engine.refuse = [{ call: /start$/, message: 'unable to set keep caps: operation not permitted' }];
  assert.equal((await brokenAt(selftest)).reason, 'KeepCapsLocked');
  assert.equal(engine.containers.size, 0);
  assert.equal(engine.images.size, 0);
});

test('a refused image is told in the words of the engine', async () => {
  const { engine, selftest } = setUp();
  engine.refuse = [{ call: /load$/, message: 'write /docker/tmp: no space left on device' }];
  const { name, reason } = await brokenAt(selftest);
  assert.deepEqual([name, reason], ['image', 'DiskFull']);
});

const unfit: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['for another processor', elfFile({ machine: 183, bits: 64 }), /it is for arm64, want amd64/],
  [
    'dynamically linked',
    elfFile({ machine: 62, bits: 64, hasLoader: true }),
    /dynamically linked, want static/,
  ],
  ['a script', new TextEncoder().encode('#!/bin/sh\n'), /no ELF file/],
  ['empty', new Uint8Array(), /no ELF file/],
];
for (const [name, busybox, message] of unfit) {
  test(`a busybox that is ${name} is refused before the engine sees it`, async () => {
    const engine = new FakeEngine();
    const readBusybox = () => Promise.resolve(busybox);
    const readTcp = () => Promise.resolve('');
    const parts = { docker: engine, clock: new FakeClock(), readBusybox, readTcp, newToken: () => 't' };
    const selftest = new Selftest(parts);
    const broken = await brokenAt(selftest);
    assert.deepEqual([broken.name, broken.reason], ['image', 'BusyboxUnfit']);
    assert.match(broken.message, message);
    assert.ok(!engine.calls.includes('POST /images/load'));
  });
}

test('a broken bridge does not hide whether the limit holds', async () => {
  const { engine, selftest } = setUp();
  engine.play = (container) => {
    const played = soundBoard(container);
    return { ...played, output: played.output.replace('ping answered\n', '') };
  };
  const { steps } = await selftest.run({}, signal);
  assert.deepEqual(
    steps.slice(3).map(({ name, ok, fault }) => [name, ok, fault?.reason]),
    [
      ['bridge', false, 'GatewayUnreachable'],
      ['memory-limit', true, undefined],
    ],
  );
});

test('a bridge container that does not start leaves the limit to one without network', async () => {
  const { engine, selftest } = setUp();
  const request = engine.request.bind(engine);
  engine.request = (asked, stop) => {
    const isBridge = JSON.stringify(asked.body ?? '').includes('"bridge"');
    if (!isBridge) return request(asked, stop);
    const words =
      'failed to add the host (veth1) <=> sandbox (veth2) pair interfaces: operation not supported';
    return Promise.resolve({
      status: 500,
      body: new TextEncoder().encode(JSON.stringify({ message: words })),
    });
  };
  const { steps } = await selftest.run({}, signal);
  assert.deepEqual(
    steps.slice(3).map(({ name, ok, fault }) => [name, ok, fault?.reason]),
    [
      ['bridge', false, 'VethMissing'],
      ['memory-limit', true, undefined],
    ],
  );
});

test('a container without default route is named', async () => {
  const { engine, selftest } = setUp();
  engine.play = (container) => ({
    ...soundBoard(container),
    output: soundBoard(container).output.replace(/gateway .*\nping answered\n/, ''),
  });
  assert.equal((await brokenAt(selftest)).reason, 'NoGateway');
});

test('a limit that the engine drops is told with its own warning', async () => {
  const { engine, selftest } = setUp();
  engine.memoryWarning =
    'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.';
  const { name, reason, message } = await brokenAt(selftest);
  assert.deepEqual([name, reason], ['memory-limit', 'MemoryCgroupMissing']);
  assert.match(message, /CONFIG_MEMCG.*Limitation discarded/s);
});

test('a kernel without swap accounting is no fault: the limit holds', async () => {
  const { engine, selftest } = setUp();
  engine.warnings = [
    'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
  ];
  assert.equal((await selftest.run({}, signal)).ok, true);
});

test('a limit that the engine holds but the program does not see is a fault', async () => {
  const { engine, selftest } = setUp();
  engine.play = (container) => ({
    ...soundBoard(container),
    output: soundBoard(container).output.replace(/memory-limit \d+/, 'memory-limit max'),
  });
  assert.equal((await brokenAt(selftest)).reason, 'MemoryLimitIgnored');
});

test('a limit that holds where no program looks is a fault of the ground, and told apart', async () => {
  const { engine, selftest } = setUp();
  engine.play = (container) => ({
    ...soundBoard(container),
    output: soundBoard(container).output.replace('memory.max', 'memcg/memory.limit_in_bytes'),
  });
  const { reason, message } = await brokenAt(selftest);
  assert.equal(reason, 'MemoryLimitHidden');
  assert.match(message, /at \/sys\/fs\/cgroup\/memcg\/memory\.limit_in_bytes, where no program looks/);
});

test('a second run at the same time is refused', async () => {
  const { selftest } = setUp();
  const first = selftest.run({}, signal);
  await assert.rejects(selftest.run({}, signal), (error) => isAgentError(error, 'BUSY'));
  assert.equal((await first).ok, true);
  assert.equal((await selftest.run({}, signal)).ok, true);
});

test('an aborted run rejects and still removes what it made', async () => {
  const { engine, selftest } = setUp();
  const asker = new AbortController();
  engine.play = (container) => {
    asker.abort();
    return soundBoard(container);
  };
  await assert.rejects(selftest.run({}, asker.signal), { name: 'AbortError' });
  assert.equal(engine.containers.size, 0);
  assert.equal(engine.images.size, 0);
});

test('a run that takes too long ends by itself and says so', async () => {
  const { engine, selftest, clock } = setUp();
  const request = engine.request.bind(engine);
  engine.request = (asked, stop) => {
    if (!asked.path.endsWith('/wait')) return request(asked, stop);
    return new Promise((_resolve, reject) => {
      stop.addEventListener('abort', () => reject(stop.reason as Error));
    });
  };
  const running = selftest.run({}, signal);
  await clock.advance(280_000);
  const { ok, steps } = await running;
  assert.equal(ok, false);
  assert.equal(steps.at(-1)?.fault?.reason, 'DockerHung');
  assert.equal(engine.containers.size, 0);
});
