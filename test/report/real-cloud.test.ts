import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeClient } from '../../scripts/cloud/kube-client.ts';
import { deviceModel, deviceName } from '../../scripts/cloud/manifests.ts';
import { viewNode } from '../../scripts/cloud/node-view.ts';
import { edgeBoard } from '../fakes/edge-board.ts';
import { runCloud } from '../fakes/standin-cluster.ts';

/**
 * A real cluster with a real cloudcore; edgecore is the stand-in, which enrols and speaks as the real one does.
 *   KUBECONFIG=FILE CLOUDCORE=HOST[:HUB[:ENROL[:ROUTER]]] KUBEEDGE=1.12.1 node scripts/test.mjs test/report/real-cloud.test.ts
 * TEST_TIMEOUT_MS=900000 gives a slow machine more than four minutes.
 * With ENFORCED=yes for a cloudcore whose cloudHub.authorization is on with debug off, and without dynamicController.
 */
const { KUBECONFIG: kubeconfig, CLOUDCORE: cloudcore, KUBEEDGE: version = '1.22.1' } = process.env;
const minor = Number(version.split('.')[1]);
const isEnforced = process.env['ENFORCED'] === 'yes';
const missing =
  kubeconfig === undefined || cloudcore === undefined
    ? 'there is no real cluster: name one with KUBECONFIG and CLOUDCORE'
    : false;

const [host = '', hub = '10000', enrol = '10002', routerPort = '9443'] = (cloudcore ?? '').split(':');
const namespace = 'default';

/** This test is run by hand, to be read. */
function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function until(what: string, isSo: () => Promise<boolean>, ms = 60_000): Promise<number> {
  const began = performance.now();
  while (!(await isSo())) {
    if (performance.now() - began > ms) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(100);
  }
  return Math.round(performance.now() - began);
}

async function realCluster(t: TestContext) {
  const kube = await KubeClient.open(kubeconfig, undefined);
  const node = `agent-${Date.now().toString(36)}`;
  const token = (await runCloud('token')).out.trim();
  const place = { host, hubPort: Number(hub), enrolPort: Number(enrol), token: () => token };
  const board = await edgeBoard(t, node, version, place);
  const name = { apiVersion: 'v1', kind: 'Node', metadata: { name: node } };
  t.after(async () => {
    await kube.remove(name);
    const { apiVersion } = deviceModel(
      (await kube.versions('devices.kubeedge.io')).includes('v1beta1') ? 'v1beta1' : 'v1alpha2',
      namespace,
    );
    await kube.remove({ apiVersion, kind: 'Device', metadata: { name: deviceName(node), namespace } });
  });
  const condition = async (type: string) => {
    const object = await kube.read(name);
    return object === undefined
      ? undefined
      : viewNode(object, undefined, undefined).conditions.find((one) => one.type === type);
  };
  return { ...board, node, kube, name, condition };
}

test(`real cloudcore ${version}: the Node says why edgecore is gone and that it is back, Devices and questions work`, {
  skip: missing !== false ? missing : isEnforced ? 'this cloud enforces authorization' : false,
  timeout: 300_000,
}, async (t) => {
  const { node, start, gate, become, reporting, condition, kube, name, questions } = await realCluster(t);
  let edgecore = start();
  t.after(() => edgecore.kill('SIGKILL'));
  await until('the Node is there', async () => (await kube.read(name)) !== undefined);
  gate.edgecoreAdopted();
  become('ready');
  await reporting.startLedger();
  await reporting.start(new AbortController().signal);
  t.after(() => reporting.stop());

  const install = ['install', node, '-n', namespace, '--port', String(questions)];
  const first = await runCloud(...install);
  assert.equal(first.code, 0, first.err);
  say(first.out.trim().replaceAll('\n', '; '));
  await until('EdgecoreReady is True', async () => (await condition('EdgecoreReady'))?.status === 'True');
  assert.match((await runCloud(...install)).err, /everything is as it should be/);

  const told = async (): Promise<boolean> => {
    const views = JSON.parse((await runCloud('health', node, '--json')).out) as {
      twin?: { edgecore?: string };
    }[];
    return views[0]?.twin?.edgecore === 'ready';
  };
  say(`twin in the Device object after ${await until('the twin is told', told)} ms`);

  const router = `http://${host}:${routerPort}`;
  const ask = (question: string) => runCloud('ask', node, question, '--router', router, '-n', namespace);
  await until('the first question is answered', async () => (await ask('status')).code === 0);
  const began = performance.now();
  for (let answered = 0; answered < 1_000; answered += 1) {
    const { code, out, err } = await ask('status');
    assert.equal(code, 0, `question ${answered}: ${out}${err}`);
  }
  say(`1000 questions in ${Math.round(performance.now() - began)} ms`);
  for (const question of ['nothing', 'logs/..%2f..%2fetc%2fpasswd', `logs/${'x'.repeat(5_000)}`]) {
    // Some of it is refused by cloudcore's own HTTP server already.
    assert.notEqual((await ask(question)).code, 0, question.slice(0, 30));
  }

  edgecore.kill('SIGKILL');
  await once(edgecore, 'close');
  gate.edgecoreEnded();
  become('failed');
  const crashed = await until(
    'False',
    async () => (await condition('EdgecoreReady'))?.status === 'False',
    15_000,
  );
  if (minor >= 19) {
    const reason = `Killed${Date.now()}`;
    reporting.ledger.write({ kind: 'restart', subject: 'edgecore', reason, message: 'by the test' });
    const isThere = async (): Promise<boolean> =>
      (await kube.list('v1', 'Event', 'default')).some((event) => JSON.stringify(event).includes(reason));
    say(`event of the Node after ${await until('the event is there', isThere, 90_000)} ms`);
  }
  const explained = await runCloud('explain', node);
  assert.deepEqual([explained.code, /EdgecoreReady is False, CrashLoop: m\./.test(explained.out)], [1, true]);
  say(explained.out.trim());
  // Nobody is there to be asked: from 1.18 on cloudcore says so, before it leaves the asker waiting.
  assert.ok([3, 5].includes((await ask('status')).code));
  await gate.edgecoreStarts();
  edgecore = start();
  await until('the session is back', async () => (await ask('version')).code === 0);
  become('ready');
  const mended = await until(
    'True',
    async () => (await condition('EdgecoreReady'))?.status === 'True',
    15_000,
  );
  say(`False ${crashed} ms after the crash, True ${mended} ms after the cure`);

  assert.equal(await reporting.retract(new AbortController().signal), true);
  assert.equal(await condition('EdgecoreReady'), undefined, 'leaving leaves nothing behind');
});

test(`real cloudcore ${version} with authorization: the agent speaks for edgecore while it is gone, and leaves nothing behind`, {
  skip: missing !== false ? missing : isEnforced ? false : 'this cloud does not enforce authorization',
  timeout: 230_000,
}, async (t) => {
  const { start, gate, become, reporting, condition, kube, name } = await realCluster(t);
  let edgecore = start();
  t.after(() => edgecore.kill('SIGKILL'));
  await until('the Node is there', async () => (await kube.read(name)) !== undefined);
  gate.edgecoreAdopted();
  become('ready');
  await reporting.startLedger();
  await reporting.start(new AbortController().signal);
  t.after(() => reporting.stop());
  const state = (): string => JSON.stringify(reporting.state().node);
  for (let round = 0; round < 3; round += 1) {
    await until('nobody else is heard', () => Promise.resolve(state().includes('EdgecoreSpeaks')));
    edgecore.kill('SIGKILL');
    await once(edgecore, 'close');
    gate.edgecoreEnded();
    become('failed');
    const ms = await until(
      'False',
      async () => (await condition('EdgecoreReady'))?.status === 'False',
      30_000,
    );
    say(`round ${round}: False ${ms} ms after the crash`);
    await gate.edgecoreStarts();
    assert.equal(await condition('EdgecoreReady'), undefined, 'gone before edgecore comes');
    edgecore = start();
    become('ready');
  }
  say(state());
});
