import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import type { CloudProbe } from '../../agent/core/cloud-probe.ts';
import { Authority } from '../standins/cloudhub/authority.ts';
import { cluster } from './cluster.ts';

const hourMs = 3_600_000;

async function cloudWith(authority: Authority): Promise<CloudProbe> {
  const span = { fromMs: -hourMs, untilMs: hourMs };
  const { certificatePem } = await authority.serverPair(['10.0.0.5'], span);
  const serverDer = new X509Certificate(certificatePem).raw;
  return {
    reach: () => Promise.resolve({ ok: true }),
    enrolment: () =>
      Promise.resolve({ ok: true, authorityDer: authority.caDer, serverDer, dateMs: undefined }),
    hasNode: () => Promise.resolve(undefined),
  };
}

test('doctor looks at address, token, switches, CRDs and DaemonSets of a cluster, and says which is wrong', async (t) => {
  const authority = await Authority.create();
  const { kube, run } = await cluster(t, ['v1beta1'], await cloudWith(authority));
  const tokendata = Buffer.from(authority.token()).toString('base64');
  kube.put('api/v1/namespaces/kubeedge/secrets/tokensecret', { data: { tokendata } });
  const text = 'modules: {router: {enable: true}, dynamicController: {enable: false}}';
  kube.put('api/v1/namespaces/kubeedge/configmaps/cloudcore', { data: { 'cloudcore.yaml': text } });
  const good = await run('doctor', '--address', '10.0.0.5');
  assert.equal(good.code, 0, good.out + good.err);
  assert.match(good.out, /^ok +modules\.router\.enable: on$/m);
  assert.match(good.out, /^note +modules\.dynamicController\.enable: off/m);
  assert.match(good.out, /^ok +Device objects are known: v1beta1$/m);
  kube.put('apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy', {
    metadata: { name: 'kube-proxy' },
    spec: { template: { spec: {} } },
  });
  const bad = await run('doctor', '--address', '10.0.0.9', '--json');
  assert.equal(bad.code, 1);
  const findings = JSON.parse(bad.out) as { severity: string; title: string }[];
  assert.deepEqual(
    findings.filter(({ severity }) => severity === 'error').map(({ title }) => title),
    ["cloudcore's certificate is for that address", 'DaemonSet kube-proxy stays away from edge nodes'],
  );
  assert.ok(!good.out.includes(tokendata));
});

test('doctor without an address looks at the rest, and an address that is none is wrong usage', async (t) => {
  const { run } = await cluster(t);
  const { code, out } = await run('doctor');
  assert.equal(code, 1, 'there is no token');
  assert.match(out, /^note +the address that boards use: was not looked at; name it with --address HOST$/m);
  assert.equal((await run('doctor', '--address', 'http://x/y')).code, 2);
  assert.equal((await run('doctor', '--address', '10.0.0.5', '--cert-port', '0')).code, 2);
});

test('doctor says which rights cloudcore lacks, what is lost without each, and how to give it', async (t) => {
  const { kube, run } = await cluster(t, ['v1beta1']);
  kube.put('api/v1/namespaces/kubeedge/serviceaccounts/cloudcore', { metadata: { name: 'cloudcore' } });
  const lines = async (): Promise<readonly string[]> =>
    (await run('doctor')).out.split('\n').filter((line) => line.includes('cloudcore may'));
  const words = async () => (await lines()).map((line) => /^(\w+) +(.*?): /.exec(line)?.slice(1).join(' '));
  assert.deepEqual(await words(), ['ok cloudcore may patch nodes/status', 'ok cloudcore may create events']);
  // What build/cloud/03-clusterrole.yaml of KubeEdge allows.
  kube.may = (user, act) =>
    user === 'system:serviceaccount:kubeedge:cloudcore' && act === 'patch nodes/status';
  const authorization = 'modules: {cloudHub: {authorization: {enable: true, debug: false}}}';
  kube.put('api/v1/namespaces/kubeedge/configmaps/cloudcore', { data: { 'cloudcore.yaml': authorization } });
  assert.deepEqual(await words(), [
    'ok cloudcore may patch nodes/status',
    'warning cloudcore may create events',
    'error cloudcore may impersonate users and groups',
  ]);
  assert.match(
    (await lines())[2] ?? '',
    /kubectl create clusterrole (\S+) --verb=impersonate --resource=users,groups && kubectl create clusterrolebinding \S+ --clusterrole=\1 --serviceaccount=kubeedge:cloudcore$/,
  );
  kube.may = (_user, act) => act.startsWith('impersonate users') || act === 'impersonate groups/system:nodes';
  assert.deepEqual(
    (await words()).map((line) => line?.split(' ')[0]),
    ['error', 'warning', 'ok'],
  );
  kube.may = undefined;
  assert.deepEqual(
    (await words()).map((line) => line?.split(' ')[0]),
    ['note', 'note', 'note'],
  );
});

test('smoke applies pods and Services through the API server, reads the log and leaves nothing', async (t) => {
  const { kube, run } = await cluster(t);
  kube.kubelet = {
    status: { phase: 'Running', containerStatuses: [{ state: { running: {} } }] },
    log: undefined,
  };
  const { code, out, err } = await run(
    'smoke',
    'board-1',
    '--network',
    'host',
    '--image',
    'board:5000/busybox',
  );
  assert.equal(code, 0, out + err);
  assert.match(out, /^ok +it is Running/m);
  assert.match(out, /^warning +its log can be read .*dial tcp: refused; cloudStream/m);
  assert.match(kube.writes.join(' '), /^POST \S+\/pods POST \S+\/services DELETE \S+ DELETE \S+$/);
  const notReady = await run('smoke', 'board-2', '--timeout', '1', '--json');
  assert.equal(notReady.code, 1);
  assert.equal((JSON.parse(notReady.out) as { steps: unknown[] }).steps.length, 1);
  assert.equal((await run('smoke', 'board-1', '--network', 'none')).code, 2);
});
