import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { macOf, signedText } from '../../agent/report/command-desk.ts';
import { twinProperties } from '../../agent/report/twin-properties.ts';
import { encodeTwinText } from '../../agent/report/twin-text.ts';
import { cluster, node, nowMs, router } from './cluster.ts';
import type { KubeServer } from './kube-server.ts';

const devicePath = 'apis/devices.kubeedge.io/v1beta1/namespaces/default/devices/board-1-agent';

test('install creates what is missing, a second time nothing, and corrects what was bent', async (t) => {
  const { kube, run } = await cluster(t);
  const first = await run('install');
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /^\+ devicemodel default\/oh-edge-agent$/m);
  assert.match(first.out, /^\+ device default\/board-1-agent$/m);
  assert.match(first.err, /board-2 is not connected now/);
  const device = kube.get(devicePath) as { spec: { nodeName: string; properties: { name: string }[] } };
  assert.equal(device.spec.nodeName, 'board-1');
  assert.deepEqual(
    device.spec.properties.map(({ name }) => name),
    twinProperties.map(({ name }) => name),
  );
  kube.writes.length = 0;
  assert.match((await run('install')).err, /everything is as it should be/);
  assert.deepEqual(kube.writes, []);
  kube.put(devicePath, { ...device, spec: { ...device.spec, nodeName: 'board-9' } });
  const second = await run('install', 'board-1');
  assert.match(second.out, /^~ device default\/board-1-agent\n {4}spec\.nodeName: "board-9" -> "board-1"$/m);
});

test('a rule is made anew for another port: cloudcore reads rules only when they are new', async (t) => {
  const { kube, run } = await cluster(t);
  await run('install');
  kube.writes.length = 0;
  const { out } = await run('install', '--port', '10700');
  assert.match(out, /^\+ ruleendpoint default\/oh-edge-agent-servicebus-10700$/m);
  assert.match(
    out,
    /^! rule default\/oh-edge-agent-health: .*new\n {4}spec\.target: "\S+-10660" -> "\S+-10700"$/m,
  );
  assert.match(out, /^- ruleendpoint default\/oh-edge-agent-servicebus-10660$/m);
  const acts = kube.writes.map((line) => line.replace(/ .*\//, ' '));
  assert.deepEqual(acts, [
    'POST ruleendpoints',
    'DELETE oh-edge-agent-health',
    'POST rules',
    'DELETE oh-edge-agent-servicebus-10660',
  ]);
});

test('a dry run prints and changes nothing, and uninstall removes only what is ours', async (t) => {
  const { kube, run } = await cluster(t);
  const dry = await run('install', '--dry-run', '--commands', '--report-url', 'http://hook/');
  assert.match(dry.out, /^\+ rule default\/oh-edge-agent-report-board-1$/m);
  assert.doesNotMatch(dry.out, /agent-reply/);
  assert.deepEqual(kube.writes, []);
  await run('install', '--commands');
  kube.put('apis/rules.kubeedge.io/v1/namespaces/default/rules/theirs', { metadata: { name: 'theirs' } });
  const gone = await run('install', '--uninstall');
  assert.match(gone.out, /^- rule default\/oh-edge-agent-command$/m);
  assert.equal(kube.get(devicePath), undefined);
  assert.notEqual(kube.get('apis/rules.kubeedge.io/v1/namespaces/default/rules/theirs'), undefined);
});

test('answers to commands have a way out of the cluster where an address is named for them', async (t) => {
  const { kube, run } = await cluster(t);
  await run('install', 'board-1', '--commands', '--reply-url', 'http://desk/replies');
  const rules = 'apis/rules.kubeedge.io/v1/namespaces/default';
  const { spec } = kube.get(`${rules}/rules/oh-edge-agent-reply-board-1`) as { spec: object };
  assert.deepEqual(spec, {
    source: 'oh-edge-agent-eventbus',
    sourceResource: { topic: 'agent/reply', node_name: 'board-1' },
    target: 'oh-edge-agent-rest',
    targetResource: { resource: 'http://desk/replies' },
  });
  for (const name of ['eventbus', 'rest'])
    assert.notEqual(kube.get(`${rules}/ruleendpoints/oh-edge-agent-${name}`), undefined);
});

test('a cluster of the old generation gets v1alpha2, with the twins that its cloud merges into', async (t) => {
  const { kube, run } = await cluster(t, ['v1alpha2']);
  assert.equal((await run('install', 'board-1')).code, 0);
  const place = 'apis/devices.kubeedge.io/v1alpha2/namespaces/default/devices/board-1-agent';
  const device = kube.get(place) as {
    spec: { nodeSelector: { nodeSelectorTerms: { matchExpressions: { values: string[] }[] }[] } };
    status: { twins: unknown[] };
  };
  assert.deepEqual(device.spec.nodeSelector.nodeSelectorTerms[0]?.matchExpressions[0]?.values, ['board-1']);
  assert.equal(device.status.twins.length, twinProperties.length);
  assert.match((await run('install', 'board-1')).err, /everything is as it should be/);
  const reported = { propertyName: 'ready', reported: { value: 'true' } };
  kube.put(place, { ...device, status: { twins: [reported] } });
  kube.writes.length = 0;
  const grown = await run('install', 'board-1');
  assert.match(grown.out, /^! device .* because it lacks properties that the agent tells$/m);
  assert.deepEqual(kube.writes, [`DELETE ${place}`, `POST ${place.replace('/board-1-agent', '')}`]);
});

test('a Device that never reported is created again only when that is wanted', async (t) => {
  const { kube, run } = await cluster(t);
  await run('install');
  kube.writes.length = 0;
  const again = await run('install', '--recreate');
  assert.match(
    again.out,
    /^! device default\/board-1-agent: delete and create again, because it has never reported$/m,
  );
  assert.deepEqual(kube.writes, [
    `DELETE ${devicePath}`,
    'POST apis/devices.kubeedge.io/v1beta1/namespaces/default/devices',
  ]);
});

function report(kube: KubeServer, values: Readonly<Record<string, string>>): void {
  const device = kube.get(devicePath) ?? {};
  const twins = Object.entries(values).map(([propertyName, value]) => ({
    propertyName,
    reported: { value: encodeTwinText(value), metadata: { timestamp: '1' } },
  }));
  kube.put(devicePath, { ...device, status: { twins } });
}

const crash = {
  type: 'EdgecoreReady',
  status: 'False',
  reason: 'CrashLoop',
  message: 'edgecore failed 5 times in a row, last with TokenExpired: the token has expired',
  lastHeartbeatTime: '2025-01-01T11:58:00Z',
  lastTransitionTime: '2025-01-01T09:29:00Z',
};

test("health shows Kubernetes' view beside the agent's, and its exit code tells programs", async (t) => {
  const { kube, run } = await cluster(t);
  await run('install');
  report(kube, {
    ready: 'true',
    dockerd: 'ready',
    edgecore: 'ready',
    cpu: '12',
    time: '2025-01-01T11:59:00Z',
  });
  kube.put('api/v1/nodes/board-2', node('board-2', { ready: 'Unknown', conditions: [crash] }));
  const { out, code } = await run('health');
  assert.equal(code, 1);
  const [, one, two, ...rest] = out.trim().split('\n');
  assert.match(one ?? '', /^board-1 +Ready +2 h 30 min +well +- +ready +ready +12% +- +- +1 min 0 s ago$/);
  assert.match(two ?? '', /^board-2 +Unknown +2 h 30 min +not well +EdgecoreReady:CrashLoop/);
  assert.deepEqual(rest, [], 'a node that is no edge is not listed');
  const views = JSON.parse((await run('health', 'board-1', '--json')).out) as {
    node: string;
    twin: object;
  }[];
  assert.deepEqual([views.length, views[0]?.node], [1, 'board-1']);
  assert.equal((await run('health', 'board-1')).code, 0);
});

test('explain says in one paragraph why a node is not ready', async (t) => {
  const { kube, run } = await cluster(t);
  const docker = { ...crash, type: 'DockerReady', reason: 'NoOverlay', message: 'dockerd needs overlay2' };
  kube.put('api/v1/nodes/board-2', node('board-2', { ready: 'Unknown', conditions: [crash, docker] }));
  const { out, code } = await run('explain', 'board-2');
  assert.equal(code, 1);
  assert.equal(
    out.trim(),
    [
      'Kubernetes has heard nothing from board-2 for 2 h 30 min (NodeStatusUnknown: Kubelet stopped posting node status).',
      'The agent on the board says: DockerReady is False, NoOverlay: dockerd needs overlay2.',
      'It has been so for 2 h 31 min and was confirmed 2 min 0 s ago.',
      'Besides, or because of it: EdgecoreReady (CrashLoop).',
    ].join(' '),
  );
  assert.match(
    (await run('explain', 'board-1')).out,
    /The agent has said nothing, and there is no Device for it/,
  );
  const unknown = await run('explain', 'board-9');
  assert.deepEqual([unknown.code, /edge nodes are board-1, board-2/.test(unknown.err)], [4, true]);
});

test('the token is printed as agentctl join takes it', async (t) => {
  const { kube, run } = await cluster(t);
  assert.equal((await run('token')).code, 4);
  const data = { tokendata: Buffer.from('hash.a.b.c\n').toString('base64') };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'tokensecret', namespace: 'kubeedge' },
    data,
  };
  kube.put('api/v1/namespaces/kubeedge/secrets/tokensecret', secret);
  assert.equal((await run('token')).out.trim(), 'hash.a.b.c');
});

test('a refusal of the API server names the object, the reason and the cure', async (t) => {
  const { kube, run } = await cluster(t);
  kube.isForbidden = true;
  const { code, err } = await run('install');
  assert.equal(code, 4);
  assert.match(err, /403 devices is forbidden; this account lacks the right/);
  const nobody = await run('health', '--context', 'none');
  assert.notEqual(nobody.code, 0);
});

test('ask goes through the router, and what the router says in place of the board becomes a reason', async (t) => {
  const { run } = await cluster(t);
  const good = await router(t, 200, '{"schema":1,"ready":true}');
  const answer = await run('ask', 'board-1', 'logs/dockerd?limit=5', '--router', good.url);
  assert.deepEqual([answer.code, answer.out.trim()], [0, '{"schema":1,"ready":true}']);
  assert.deepEqual(good.asked, ['GET /board-1/default/agent-health/logs/dockerd?limit=5']);
  const refused = await router(t, 200, '{"schema":1,"error":{"code":"NOT_FOUND","message":"x"}}');
  assert.equal((await run('ask', 'board-1', 'x', '--router', refused.url)).code, 1);
  const missing = await router(t, 404, 'Request error');
  assert.match(
    (await run('ask', 'board-1', '--router', missing.url)).err,
    /no such rule; run `npm run cloud -- install`/,
  );
  const offline = await router(
    t,
    500,
    "All attempts fail: #1: cloudcore doesn't have session for node:board-1",
  );
  const down = await run('ask', 'board-1', '--router', offline.url);
  assert.deepEqual([down.code, /explain board-1/.test(down.err)], [3, true]);
  assert.equal((await run('ask', 'board-1', '--router', 'http://127.0.0.1:1')).code, 3);
});

test('tell signs a command so that the board can prove who sent it', async (t) => {
  const { run } = await cluster(t);
  const { url, asked } = await router(t, 200, 'message delivered');
  const directory = mkdtempSync(path.join(os.tmpdir(), 'tell-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const keyFile = path.join(directory, 'key');
  const key = 'k'.repeat(40);
  writeFileSync(keyFile, `${key}\n`);
  const argument = '{"unit":"dockerd"}';
  const { code } = await run(
    'tell',
    'board-1',
    'restart-unit',
    argument,
    '--router',
    url,
    '--key-file',
    keyFile,
  );
  assert.equal(code, 0);
  const [head, body = ''] = [asked[0]?.slice(0, 43), asked[0]?.slice(asked[0].indexOf('{'))];
  assert.match(head ?? '', /^POST \/board-1\/default\/agent-command/);
  const { mac, ...command } = JSON.parse(body) as Parameters<typeof signedText>[1] & { mac: string };
  assert.equal(mac, macOf(key, signedText('board-1', command)));
  assert.deepEqual([command.verb, command.argument, command.time], ['restart-unit', argument, nowMs]);
});
