import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kube, KubeName, KubeObject } from '../../scripts/cloud/kube.ts';
import { smokeNode } from '../../scripts/cloud/smoke.ts';
import { podState, type SmokeWishes } from '../../scripts/cloud/smoke-objects.ts';

const key = ({ kind, metadata }: KubeName): string => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;

/** A cluster in memory with one node; each second its kubelet does what the test lets it do. */
class Cluster implements Kube {
  readonly objects = new Map<string, KubeObject>();
  readonly removed: string[] = [];
  nowMs = 0;
  /** Status that the pods get after so many seconds. */
  podStatus: KubeObject['status'] = { phase: 'Running', containerStatuses: [{ state: { running: {} } }] };
  afterMs = 3_000;
  /** When somebody presses Ctrl-C. */
  interruptMs = Number.POSITIVE_INFINITY;
  readonly #over = new AbortController();
  log = (_namespace: string, pod: string): Promise<string> =>
    Promise.resolve(`oh-edge-agent smoke ${pod.split('-').at(-1)}\n`);

  constructor(ready = 'True') {
    const conditions = [
      { type: 'Ready', status: ready, reason: 'KubeletNotReady', message: 'cni not initialized' },
    ];
    const node: KubeObject = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'board-1' },
      status: { conditions },
    };
    this.objects.set(key(node), node);
  }

  read(name: KubeName): Promise<KubeObject | undefined> {
    return Promise.resolve(this.objects.get(key(name)));
  }

  list(): Promise<readonly KubeObject[]> {
    return Promise.resolve([]);
  }

  create(object: KubeObject): Promise<void> {
    this.objects.set(key(object), object);
    return Promise.resolve();
  }

  merge(): Promise<void> {
    return Promise.resolve();
  }

  remove(name: KubeName): Promise<void> {
    this.objects.delete(key(name));
    this.removed.push(key(name));
    return Promise.resolve();
  }

  allows(): Promise<boolean | undefined> {
    return Promise.resolve(undefined);
  }

  versions(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  podLog(namespace: string, pod: string): Promise<string> {
    return this.log(namespace, pod);
  }

  async smoke(networks: readonly boolean[] = [true, false]) {
    const base = { node: 'board-1', namespace: 'default', image: 'busybox', nonce: 'abc' };
    const wishes: readonly SmokeWishes[] = networks.map((isHostNetwork) => ({ ...base, isHostNetwork }));
    const steps = await smokeNode(wishes, 30_000, {
      kube: this,
      nowMs: () => this.nowMs,
      sleep: (ms) => this.#pass(ms),
      signal: this.#over.signal,
    });
    return steps.map(({ name, result, said }) => `${result} ${name}: ${said}`);
  }

  #pass(ms: number): Promise<void> {
    this.nowMs += ms;
    if (this.nowMs >= this.interruptMs) this.#over.abort();
    if (this.nowMs < this.afterMs || this.podStatus === undefined) return Promise.resolve();
    for (const [place, object] of this.objects) {
      if (object.kind === 'Pod') this.objects.set(place, { ...object, status: this.podStatus });
    }
    return Promise.resolve();
  }
}

test('a good node passes every rung on both networks and nothing is left behind', async () => {
  const cluster = new Cluster();
  const lines = await cluster.smoke();
  assert.deepEqual(
    lines.map((line) => line.split(' ')[0]),
    Array.from({ length: 9 }, () => 'ok'),
  );
  assert.deepEqual([...cluster.objects.keys()], ['Node//board-1']);
});

test('logs that cannot be read are a warning with what to switch on, not a failure', async () => {
  const cluster = new Cluster();
  cluster.log = () => Promise.reject(new Error('dial tcp: connection refused'));
  const lines = await cluster.smoke([true]);
  assert.match(lines.join('\n'), /warning its log can be read: dial tcp: connection refused; cloudStream/);
  assert.ok(!lines.some((line) => line.startsWith('failed')));
});

test('a pod that does not start fails with the word of the kubelet and is removed all the same', async () => {
  const cluster = new Cluster();
  cluster.podStatus = {
    phase: 'Pending',
    containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull', message: 'no such host' } } }],
  };
  const lines = await cluster.smoke([false]);
  assert.match(lines.join('\n'), /failed it is Running: not within 30 s: ErrImagePull: no such host/);
  assert.ok(cluster.removed.some((name) => name.startsWith('Pod/')));
  assert.ok(!lines.some((line) => line.includes('its log')));
});

test('a test that is interrupted stops at once and leaves nothing behind', async () => {
  const cluster = new Cluster();
  cluster.afterMs = 20_000;
  cluster.interruptMs = 5_000;
  const lines = await cluster.smoke();
  assert.match(lines.join('\n'), /failed it is Running: interrupted: phase unknown/);
  assert.deepEqual([...cluster.objects.keys()], ['Node//board-1']);
  assert.equal(cluster.nowMs, 5_000);
});

test('a node that is not Ready or not there stops the test before anything is applied', async () => {
  const lines = await new Cluster('False').smoke();
  assert.deepEqual(lines, [
    'failed node board-1 is Ready: not within 30 s: KubeletNotReady: cni not initialized',
  ]);
  const empty = new Cluster();
  empty.objects.clear();
  assert.match((await empty.smoke()).join(), /there is no node "board-1"/);
});

test('the state of a pod is read from whatever says most', () => {
  const pod = (status: KubeObject['status']): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    ...(status === undefined ? {} : { status }),
  });
  assert.deepEqual(podState(undefined), { phase: 'over', why: 'the pod is gone' });
  assert.deepEqual(podState(pod({})), { phase: 'waiting', why: 'phase unknown' });
  assert.deepEqual(podState(pod({ phase: 'Failed', message: 'Evicted' })), { phase: 'over', why: 'Evicted' });
});
