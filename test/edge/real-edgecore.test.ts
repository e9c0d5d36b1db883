import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCloudAddress } from '../../agent/edge/cloud-address.ts';
import { KubeClient } from '../../scripts/cloud/kube-client.ts';
import { viewNode } from '../../scripts/cloud/node-view.ts';
import { eventually } from '../../scripts/lab/scenarios/expect.ts';
import { TrialNode } from '../../scripts/lab/scenarios/trial-node.ts';
import { EdgecoreBoard } from '../fakes/edgecore-board.ts';
import { runCloud } from '../fakes/standin-cluster.ts';

/**
 * Nothing of KubeEdge stands in: a real edgecore under the shipped agent, with this machine's dockerd, in namespaces of its
 * own; the cloud is whoever's who runs this.
 *   EDGECORE=FILE CLOUDCORE=HOST[:PORT] TOKEN=… KUBECONFIG=FILE npm run test:edgecore
 * The release stands in a file `version` beside edgecore or in KUBEEDGE. CERT_PORT for another port than 10002;
 * ROUTER=http://HOST:9443 asks the board through cloudcore's router too; ENFORCED=yes for a cloud with authorization.
 */
const {
  EDGECORE = '',
  CLOUDCORE = '',
  TOKEN = '',
  KUBECONFIG = '',
  ROUTER,
  CERT_PORT = '10002',
} = process.env;
const isEnforced = process.env['ENFORCED'] === 'yes';
const debian = { docker: '/usr/sbin/dockerd', cni: '/usr/lib/cni/bridge', busybox: '/bin/busybox' };

function obstacle(): string | false {
  const missing = Object.entries({ EDGECORE, CLOUDCORE, TOKEN, KUBECONFIG }).filter(
    ([, value]) => value === '',
  );
  if (missing.length > 0) return `name real programs with ${missing.map(([name]) => name).join(', ')}`;
  if (process.getuid?.() !== 0) return 'namespaces of its own need root';
  const absent = Object.values(debian).filter((file) => !existsSync(file));
  if (absent.length === 0) return false;
  return `no ${absent.join(', ')}: run it by \`npm run test:edgecore\``;
}

const release = (): string =>
  process.env['KUBEEDGE'] ?? readFileSync(path.join(path.dirname(EDGECORE), 'version'), 'utf8').trim();

/** This test is run by hand, to be read. */
function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Milliseconds until it was so. */
async function took(what: string, withinMs: number, ask: () => Promise<string | true>): Promise<number> {
  const began = performance.now();
  await eventually(what, withinMs, ask);
  return Math.round(performance.now() - began);
}

async function setUp(t: Parameters<typeof EdgecoreBoard.start>[0]) {
  const address = parseCloudAddress(CLOUDCORE, Number(CERT_PORT));
  assert.ok(address.ok, `CLOUDCORE ${CLOUDCORE}`);
  if (!existsSync('dist/agent.js')) assert.equal(spawnSync('node', ['build.mjs']).status, 0);
  const kube = await KubeClient.open(KUBECONFIG, undefined);
  const name = `edge-${Date.now().toString(36)}`;
  const node = new TrialNode(kube, name);
  const board = await EdgecoreBoard.start(t, { edgecore: EDGECORE, release: release(), ...address.address });
  t.after(() => node.remove());
  const ready = async (): Promise<string | true> => {
    const { units, ready: isReady } = await board.status();
    return (isReady && units.every(({ phase }) => phase === 'ready')) || JSON.stringify(units);
  };
  const condition = async () => {
    const object = await kube.read({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
    return object === undefined
      ? undefined
      : viewNode(object, undefined, undefined).conditions.find(({ type }) => type === 'EdgecoreReady');
  };
  return { board, node, name, kube, ready, condition };
}

type World = Awaited<ReturnType<typeof setUp>>;

/** Kills one of the three with SIGKILL: another process takes its place, and no container is restarted. */
async function survives(
  { board, node, ready }: World,
  victim: 'edgecore' | 'dockerd' | 'agent',
): Promise<void> {
  const before = await node.containers();
  const pid = await board.pidOf(victim);
  const killedMs = Date.now();
  await board.must(['/bin/kill', '-9', String(pid)]);
  const ms = await took(`another ${victim} runs and all is ready`, 300_000, async () => {
    const now = await board.pidOf(victim).catch(String);
    return typeof now !== 'number' || now === pid ? `pid ${now}, was ${pid}` : ready();
  });
  await node.isReady(victim === 'edgecore' ? killedMs : 0);
  assert.equal(await node.containers(), before, `kill -9 ${victim} restarted a container`);
  say(`kill -9 ${victim}: all ready after ${ms} ms, no container restarted`);
}

/** edgecore cannot start: the Node says so within 15 s, and that it is well again within 15 s of edgecore's return. */
async function saysWhy({ board, condition, ready, name }: World): Promise<void> {
  await board.hideEdgecore(true);
  await board.must(['/bin/kill', '-9', String(await board.pidOf('edgecore'))]);
  const broken = await took('EdgecoreReady is False', 15_000, async () => {
    const found = await condition();
    return found?.status === 'False' || JSON.stringify(found ?? 'no condition');
  });
  const { reason = '', message = '' } = (await condition()) ?? {};
  say(`EdgecoreReady is False after ${broken} ms: ${reason}: ${message}`);
  assert.match(reason, /^[A-Z][A-Za-z]+$/);
  assert.match(message, /edgecore/);
  const explained = await runCloud('explain', name);
  assert.deepEqual(
    [explained.code, explained.out.includes(reason)],
    [1, true],
    explained.out + explained.err,
  );
  await board.hideEdgecore(false);
  say(`edgecore is connected after ${await took('edgecore is connected', 300_000, ready)} ms`);
  // Where only edgecore is heard, nothing that could become stale is left beside its own word.
  const wanted = isEnforced ? undefined : 'True';
  const mended = await took(`EdgecoreReady is ${wanted}`, 15_000, async () => {
    const found = await condition();
    return found?.status === wanted || JSON.stringify(found);
  });
  say(`EdgecoreReady is ${wanted} ${mended} ms later`);
}

async function answers({ name }: World, router: string): Promise<void> {
  const installed = await runCloud('install', name);
  assert.equal(installed.code, 0, installed.err);
  const ask = (question: string) => runCloud('ask', name, question, '--router', router);
  await took('the first question is answered', 60_000, async () => {
    const { code, err } = await ask('status');
    return code === 0 || err;
  });
  const began = performance.now();
  for (let round = 0; round < 1_000; round += 1) {
    const { code, out, err } = await ask('status');
    assert.equal(code, 0, `question ${round}: ${out}${err}`);
  }
  say(`1000 questions in ${Math.round(performance.now() - began)} ms`);
  for (const question of [
    'nothing',
    'logs/..%2f..%2fetc%2fpasswd',
    `logs/${'x'.repeat(5_000)}`,
    '%00',
    'units?limit=9e9',
  ])
    assert.notEqual((await ask(question)).code, 0, question.slice(0, 30));
  assert.equal((await ask('status')).code, 0, 'and still it answers');
}

/** Every file of the board and every command line. The pattern comes from a file, or grep would find itself. */
async function hasForgotten({ board }: World): Promise<void> {
  const pattern = `${board.folder}/etc/pattern`;
  const places = [`${board.folder}/home`, '/etc/kubeedge', '/var/lib/kubeedge', '/var/log', '/run'].join(' ');
  const look = [
    `cat >${pattern}`,
    `find ${places} -type f -exec grep -lF -f ${pattern} {} + 2>/dev/null`,
    `cat /proc/[0-9]*/cmdline | grep -acF -f ${pattern}`,
    `rm ${pattern}`,
  ];
  const { stdout } = await board.run(['/bin/sh', '-c', look.join('; ')], `${TOKEN.trim().slice(70, 130)}\n`);
  assert.equal(stdout.trim(), '0', 'the token is in a file or a command line');
}

const reason = obstacle();
const title = `real edgecore ${reason === false ? release() : ''}: Ready, pods on both networks, kill -9, the Node says why, questions, leave`;
test(title, { skip: reason, timeout: 1_800_000 }, async (t) => {
  const world = await setUp(t);
  const { board, node, name } = world;
  try {
    await eventually('Docker is ready', 120_000, async () => {
      const { code, stderr } = await board.ctl([
        'wait',
        '--for',
        'condition=DockerReady',
        '--timeout',
        '60s',
      ]);
      return code === 0 || stderr;
    });
    const where = ['--cloudcore', CLOUDCORE, '--cert-port', CERT_PORT, '--node-name', name];
    const joined = await board.ctl(['join', ...where, '--token-file', '-'], TOKEN.trim());
    assert.equal(joined.code, 0, joined.stderr + joined.stdout);
    await node.isReady();
    say(`${name} is Ready: kubelet ${await node.kubelet()}`);
    await board.importImage('docker.io/library/lab:1');
    for (const [kind, isHostNetwork] of [
      ['host', true],
      ['bridge', false],
    ] as const) {
      await node.startPod(kind, isHostNetwork);
      say(`a pod on the ${kind} network is Running`);
    }
    for (const victim of ['edgecore', 'dockerd', 'agent'] as const) await survives(world, victim);
    await saysWhy(world);
    if (ROUTER !== undefined) await answers(world, ROUTER);
    await hasForgotten(world);
    await node.deletePods();
    const left = await board.ctl(['leave']);
    assert.equal(left.code, 0, left.stderr + left.stdout);
    await sleep(0);
    assert.equal(await world.condition(), undefined, 'leaving leaves nothing of ours on the Node');
    say(`at most ${board.hub.most} connections to CloudHub at once`);
  } catch (error) {
    say(await board.evidence().catch(String));
    throw error;
  }
});
