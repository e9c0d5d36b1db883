import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { edgePlaces } from '../../agent/edge/edge-places.ts';
import { planJoin, planLeave } from '../../agent/edge/edge-plan.ts';
import { portsOf } from '../../agent/edge/join-look.ts';
import type { JoinOrder } from '../../agent/edge/join-order.ts';
import { parseJoinOrder } from '../../agent/edge/join-order.ts';
import { type JoinFacts, preflight } from '../../agent/edge/preflight.ts';
import { chooseRuntime } from '../../agent/edge/runtime-choice.ts';
import type { EdgeSettings } from '../../agent/edge/wanted-values.ts';
import { Authority } from '../standins/cloudhub/authority.ts';
import { defaultsText, parsed, release, settings } from './samples.ts';

const dayMs = 86_400_000;
const places = edgePlaces({ home: '/data', product: '/product', busybox: '/b', dockerBinDir: '/d' });
const authority = await Authority.create();
const server = await authority.serverPair(['10.0.0.5', 'cloud.example'], { fromMs: -dayMs, untilMs: dayMs });

function program(version: string): JoinFacts['program'] {
  const chosen = release(version);
  return { ok: true, path: '/edgecore', release: chosen, defaults: parsed(defaultsText(chosen.minor)) };
}

const facts: JoinFacts = {
  nowMs: Date.now(),
  program: program('v1.22.1'),
  record: undefined,
  hub: { ok: true },
  enrolment: {
    ok: true,
    authorityDer: authority.caDer,
    serverDer: new X509Certificate(server.certificatePem).raw,
    dateMs: Date.now(),
  },
  nodeExists: false,
  busyPorts: [],
  certificate: undefined,
  cni: { plugins: ['bridge', 'host-local', 'loopback', 'portmap'], networks: [] },
  hasDockerd: true,
};

function order(over: Readonly<Record<string, unknown>> = {}): JoinOrder {
  const result = parseJoinOrder({ token: authority.token(), ...over });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.order;
}

function reasons(
  over: Partial<JoinFacts>,
  given = order(),
  wanted: EdgeSettings = settings,
): readonly string[] {
  return preflight({ ...facts, ...over }, given, wanted).map(({ reason }) => reason);
}

test('nothing stands in the way of a good order on a good board', () => {
  assert.deepEqual(reasons({}), []);
});

test('each thing that stands in the way has its own word', () => {
  const fault = { reason: 'ProgramMissing', message: 'x', isPermanent: true };
  assert.deepEqual(reasons({ program: { ok: false, fault } }), ['ProgramMissing']);
  assert.deepEqual(reasons({ program: program('v1.30.0') }), ['ReleaseUnknown']);
  assert.deepEqual(reasons({ program: program('v1.22') }), ['ReleaseInexact']);
  assert.deepEqual(reasons({ nodeExists: true }), ['NodeNameTaken']);
  assert.deepEqual(reasons({ nodeExists: true }, order({ takeName: true })), []);
  assert.deepEqual(reasons({ busyPorts: [1884] }), ['PortBusy']);
  assert.deepEqual(reasons({ hasDockerd: false }), ['RuntimeMissing']);
  assert.deepEqual(reasons({ cni: { plugins: ['bridge'], networks: [] } }), ['CniPluginsMissing']);
  assert.deepEqual(reasons({ nowMs: 9_000 }), ['ClockWrong']);
  assert.deepEqual(reasons({ hub: { ok: false, reason: 'timed-out', message: 'm' } }), ['CloudTimedOut']);
  assert.deepEqual(reasons({}, order({ token: undefined })), ['TokenMissing']);
  assert.deepEqual(reasons({}, order({ token: authority.token(-dayMs) })), ['TokenExpired']);
  assert.deepEqual(reasons({}, order({ caHash: 'b'.repeat(64) })), ['WrongAuthority']);
  assert.deepEqual(reasons({}, order({ caHash: `sha256:${authority.caHash()}` })), []);
  assert.deepEqual(reasons({}, order(), { ...settings, cloud: { ...settings.cloud, host: '10.0.0.6' } }), [
    'CloudNameMismatch',
  ]);
  assert.deepEqual(
    reasons({}, order(), { ...settings, cloud: { ...settings.cloud, host: 'cloud.example' } }),
    [],
  );
});

test('every unreachable cloud has a word and a fix', () => {
  const words = {
    'name-unknown': 'CloudNameUnknown',
    refused: 'CloudRefused',
    'no-route': 'CloudNoRoute',
  } as const;
  for (const [reason, word] of Object.entries(words)) {
    const enrolment = { ok: false, reason: reason as keyof typeof words, message: 'facts' } as const;
    const problems = preflight({ ...facts, enrolment }, order(), settings);
    assert.deepEqual(
      problems.map((problem) => problem.reason),
      [word],
    );
    assert.match(problems[0]?.message ?? '', /10002.*facts; \S+/);
  }
});

test('the clock of the cloud judges the token while the board is in 1970', () => {
  assert.deepEqual(reasons({ nowMs: 9_000 }, order({ token: authority.token(-dayMs) })), [
    'ClockWrong',
    'TokenExpired',
  ]);
});

test('the runtime fits the release or is refused in words', () => {
  const choose = (version: string, runtime: 'auto' | 'docker' | 'cri', criEndpoint?: string) => {
    const choice = chooseRuntime(release(version), { runtime, criEndpoint }, places);
    return choice.ok ? `${choice.runtime.kind} ${choice.runtime.endpoint}` : choice.message;
  };
  assert.equal(choose('v1.12.6', 'auto'), 'docker unix:///run/docker.sock');
  assert.equal(choose('v1.14.0', 'auto'), 'cri unix:///run/docker/containerd/containerd.sock');
  assert.equal(choose('v1.12.6', 'auto', 'unix:///x.sock'), 'cri unix:///x.sock');
  assert.match(choose('v1.14.0', 'docker'), /no dockershim any more.*leave --runtime away/);
});

test('ports are those that the configuration would have', () => {
  const tree = parsed(defaultsText(22)).tree;
  assert.deepEqual(portsOf(tree), [10_350]);
  const modules = {
    eventBus: { mqttMode: 0, mqttServerInternal: 'tcp://127.0.0.1:2884' },
    metaManager: { metaServer: { enable: true, server: '127.0.0.1:10551' } },
  };
  assert.deepEqual(portsOf({ modules }), [10_350, 2_884, 10_551]);
});

const situation = {
  settings,
  release: release('v1.22.1'),
  record: undefined,
  isEnrolling: true,
  hasCertificates: false,
  isOtherCluster: false,
  isActive: false,
  cni: facts.cni,
  installedPlugins: [],
  podSubnet: '10.88.0.0/16',
  kept: [],
  kubeedge: undefined,
  nowMs: 1,
};

const kinds = (steps: ReturnType<typeof planJoin>): readonly string[] =>
  steps.map(({ kind }) => kind).filter((kind) => kind !== 'make-directory' && kind !== 'copy-file');

test('a plan holds what is needed and nothing else', () => {
  assert.deepEqual(kinds(planJoin(situation, places)), [
    'write-config',
    'write-token',
    'write-file',
    'write-record',
    'restart-dockerd',
    'start-edgecore',
  ]);
  const docker = { ...settings, runtime: { kind: 'docker', endpoint: 'unix:///run/docker.sock' } as const };
  const old = planJoin({ ...situation, settings: docker, release: release('v1.12.6') }, places);
  assert.deepEqual(kinds(old), ['write-config', 'remove-file', 'write-record', 'start-edgecore']);
  assert.equal(old.find(({ kind }) => kind === 'write-config')?.kind, 'write-config');
  const foreign = planJoin({ ...situation, cni: { plugins: [], networks: ['10-mine.conflist'] } }, places);
  assert.ok(!kinds(foreign).includes('write-file'));
});

test('another name takes certificates and database along, a new address takes neither', () => {
  const { nodeIp: _nodeIp, ...rest } = settings;
  const record = { ...rest, kubeedge: undefined, joinedAtMs: 1 };
  const removed = (steps: ReturnType<typeof planJoin>) =>
    steps.flatMap((step) => (step.kind === 'remove-file' ? [step.path] : []));
  const renamed = planJoin(
    { ...situation, record, settings: { ...settings, node: 'other' }, hasCertificates: true },
    places,
  );
  const moves = (steps: ReturnType<typeof planJoin>) =>
    steps.flatMap((step) => (step.kind === 'move-file' ? [step.from] : []));
  assert.ok(removed(renamed).includes(places.keyFile) && moves(renamed).includes(places.databaseFile));
  const elsewhere = planJoin({ ...situation, record, isOtherCluster: true, hasCertificates: true }, places);
  assert.ok(moves(elsewhere).includes(places.databaseFile));
  const moved = planJoin(
    { ...situation, record, isEnrolling: false, hasCertificates: true, isActive: true },
    places,
  );
  assert.deepEqual([removed(moved), moves(moved)], [[], []]);
  assert.equal(moved[0]?.kind, 'stop-edgecore');
});

test('leaving takes back what joining made', () => {
  const steps = planLeave(
    {
      isActive: true,
      removesPods: true,
      removesImages: false,
      setAside: ['/etc/kubeedge/config/edgecore.yaml.broken-0'],
    },
    places,
  );
  assert.deepEqual(
    [steps[0]?.kind, steps[1]?.kind, steps[2]?.kind, steps.at(-1)?.kind],
    ['stop-edgecore', 'retract', 'remove-pods', 'remove-record'],
  );
  const removed = steps.flatMap((step) => (step.kind === 'remove-file' ? [step.path] : []));
  for (const path of [
    places.keyFile,
    places.certFile,
    places.caFile,
    places.bootstrapFile,
    places.databaseFile,
  ]) {
    assert.ok(removed.includes(path), path);
  }
});
