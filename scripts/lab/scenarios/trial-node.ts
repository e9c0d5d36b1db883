import type { Kube, KubeObject } from '../../cloud/kube.ts';
import { podState } from '../../cloud/smoke-objects.ts';
import { eventually } from './expect.ts';

/** A first registration takes minutes: cloudcore 1.12 lets edgecore's questions about a node that is not there yet time out. */
const readyMs = 420_000;
const podMs = 300_000;
const namespace = 'default';

/** What the cluster knows of the board under trial. */
export class TrialNode {
  readonly #kube: Kube;
  readonly #name: string;
  readonly #pods = new Map<string, KubeObject>();

  constructor(kube: Kube, name: string) {
    this.#kube = kube;
    this.#name = name;
  }

  /**
   * Resolves when the node is Ready by a heartbeat of the second `since` (milliseconds of the wall clock) or a later one: it
   * is told in whole seconds, and where nothing changes the next one comes after five minutes.
   */
  async isReady(since = 0): Promise<void> {
    const sinceSecond = Math.floor(since / 1_000) * 1_000;
    await eventually(`${this.#name} is Ready in the cluster`, readyMs, async () => {
      const node = await this.#kube.read({ apiVersion: 'v1', kind: 'Node', metadata: { name: this.#name } });
      const conditions = (node?.status?.['conditions'] ?? []) as readonly Record<string, string>[];
      const ready = conditions.find(({ type }) => type === 'Ready');
      const isFresh = Date.parse(ready?.['lastHeartbeatTime'] ?? '') >= sinceSecond || since === 0;
      return (ready?.['status'] === 'True' && isFresh) || JSON.stringify(ready ?? 'no node');
    });
  }

  /** Release of the kubelet inside edgecore, as the Node says. */
  async kubelet(): Promise<string> {
    const node = await this.#kube.read({ apiVersion: 'v1', kind: 'Node', metadata: { name: this.#name } });
    return (
      (node?.status?.['nodeInfo'] as Record<string, string> | undefined)?.['kubeletVersion'] ?? 'unknown'
    );
  }

  /** Starts a pod for this node and waits until it runs. */
  async startPod(kind: string, hostNetwork: boolean): Promise<void> {
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${this.#name}-${kind}`, namespace },
      spec: {
        nodeName: this.#name,
        hostNetwork,
        restartPolicy: 'Always',
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 1,
        tolerations: [{ operator: 'Exists' }],
        containers: [
          {
            name: 'work',
            image: 'docker.io/library/lab:1',
            imagePullPolicy: 'IfNotPresent',
            command: ['/bin/busybox', 'sleep', '100000'],
          },
        ],
      },
    };
    await this.#kube.create(pod);
    this.#pods.set(kind, pod);
    await this.#runs(pod);
  }

  /** Identity of every container as the cluster knows it; fails where one does not run. */
  async containers(): Promise<string> {
    const ids: string[] = [];
    for (const pod of this.#pods.values()) {
      await this.#runs(pod);
      const seen = await this.#kube.read(pod);
      const statuses = (seen?.status?.['containerStatuses'] ?? []) as readonly Record<string, unknown>[];
      ids.push(
        ...statuses.map(({ containerID, restartCount }) => `${String(containerID)} ${String(restartCount)}`),
      );
    }
    return ids.join(', ');
  }

  /** Deletes the pods as a user would, and waits until the node has confirmed it. */
  async deletePods(): Promise<void> {
    for (const pod of this.#pods.values()) {
      await this.#kube.remove(pod);
      await eventually(`pod ${pod.metadata.name} is gone`, podMs, async () => {
        return (await this.#kube.read(pod)) === undefined || 'it is there';
      });
    }
    this.#pods.clear();
  }

  /** Leaves nothing in the cluster, whatever happened. */
  async remove(): Promise<void> {
    for (const pod of this.#pods.values()) await this.#kube.remove(pod).catch(() => undefined);
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: this.#name } };
    await this.#kube.remove(node).catch(() => undefined);
  }

  async #runs(pod: KubeObject): Promise<void> {
    await eventually(`pod ${pod.metadata.name} is Running`, podMs, async () => {
      const state = podState(await this.#kube.read(pod));
      return state.phase === 'running' || `${state.phase}: ${state.why}`;
    });
  }
}
