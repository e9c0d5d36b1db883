import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import {
  addressFindings,
  type CloudFinding,
  configFindings,
  daemonSetFindings,
  deviceFinding,
  lifeText,
  tokenFindings,
} from '../../scripts/cloud/cloud-findings.ts';
import type { KubeObject } from '../../scripts/cloud/kube.ts';
import { Authority } from '../standins/cloudhub/authority.ts';

const hourMs = 3_600_000;
const severities = (findings: readonly CloudFinding[]) => findings.map(({ severity }) => severity);
const authority = await Authority.create();
const pair = await authority.serverPair(['10.0.0.5', 'cloud.example'], { fromMs: -hourMs, untilMs: hourMs });
const enrolment = {
  ok: true,
  authorityDer: authority.caDer,
  serverDer: new X509Certificate(pair.certificatePem).raw,
  dateMs: undefined,
} as const;

function secret(token: string): KubeObject {
  const data = { tokendata: Buffer.from(token).toString('base64') };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tokensecret' }, data };
}

test('the address of the boards must answer and be in the certificate', () => {
  const hub = { ok: true } as const;
  assert.deepEqual(severities(addressFindings({ host: '10.0.0.5', hub, enrolment })), ['ok', 'ok', 'ok']);
  assert.deepEqual(severities(addressFindings({ host: 'cloud.example', hub, enrolment })), [
    'ok',
    'ok',
    'ok',
  ]);
  const wrong = addressFindings({ host: '192.168.1.10', hub, enrolment });
  assert.match(
    wrong.at(-1)?.message ?? '',
    /IP Address:10\.0\.0\.5.*add 192\.168\.1\.10 to modules\.cloudHub/,
  );
  const closed = { ok: false, reason: 'refused', message: 'connection refused' } as const;
  assert.deepEqual(severities(addressFindings({ host: 'x', hub: closed, enrolment: closed })), [
    'error',
    'error',
  ]);
});

test('the token is checked for its life and its authority, and never shown', async () => {
  const now = Date.now();
  const token = authority.token(23 * hourMs);
  const good = tokenFindings(secret(token), enrolment, now);
  assert.deepEqual(
    good.map(({ severity, message }) => `${severity} ${message}`),
    ['ok valid for 23 h'],
  );
  assert.match(
    tokenFindings(secret(authority.token(-hourMs)), enrolment, now)[0]?.message ?? '',
    /^ended 60 min ago/,
  );
  const other = (await Authority.create()).token();
  assert.deepEqual(severities(tokenFindings(secret(other), enrolment, now)), ['ok', 'error']);
  assert.match(tokenFindings(undefined, undefined, now)[0]?.message ?? '', /is empty/);
  assert.ok(!JSON.stringify(good).includes(token.slice(70)));
  assert.equal(lifeText(undefined, now), 'valid without end');
});

test("what cloudcore's switches cost when they are off is said", () => {
  const map = (text: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cloudcore' },
    data: { 'cloudcore.yaml': text },
  });
  const text = 'modules: {router: {enable: true}, cloudStream: {enable: false}, cloudHub: {nodeLimit: 10}}';
  assert.deepEqual(severities(configFindings(map(text), 4)), ['ok', 'note', 'note', 'ok']);
  assert.match(configFindings(map(text), 4)[2]?.message ?? '', /kubectl logs/);
  assert.equal(configFindings(map(text), 6).at(-1)?.severity, 'warning');
  const guarded = (more: string): string => `modules: {cloudHub: {authorization: {enable: true${more}}}}`;
  assert.match(configFindings(map(guarded('')), 1).at(-1)?.message ?? '', /only while edgecore is down/);
  assert.doesNotMatch(JSON.stringify(configFindings(map(guarded(', debug: true')), 1)), /authorization/);
  assert.deepEqual(severities(configFindings(map('modules: ['), 1)), ['note']);
  assert.deepEqual(severities(configFindings(undefined, 1)), ['note']);
});

test('DaemonSets of the cluster network are found where they would reach an edge node', () => {
  const edge: KubeObject = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'board-1',
      labels: { 'node-role.kubernetes.io/edge': '', 'kubernetes.io/os': 'linux' },
    },
  };
  const set = (name: string, spec: object): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name },
    spec: { template: { spec } },
  });
  const away = (operator: string) => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'node-role.kubernetes.io/edge', operator }] }],
        },
      },
    },
  });
  const found = (name: string, spec: object) => severities(daemonSetFindings([set(name, spec)], [edge]));
  assert.deepEqual(found('kube-proxy', { nodeSelector: { 'kubernetes.io/os': 'linux' } }), ['error']);
  assert.deepEqual(found('kube-flannel-ds', {}), ['warning']);
  assert.deepEqual(found('kube-proxy', away('DoesNotExist')), ['ok']);
  assert.deepEqual(found('kube-proxy', away('Exists')), ['error']);
  assert.deepEqual(found('kube-proxy', { nodeSelector: { 'kubernetes.io/os': 'windows' } }), ['ok']);
  assert.deepEqual(found('my-edge-app', {}), []);
});

test('a cluster without the Device objects cannot show what boards report', () => {
  assert.equal(deviceFinding([]).severity, 'error');
  assert.equal(deviceFinding(['v1beta1']).message, 'v1beta1');
});
