import { messageOf } from '../../agent/core/agent-error.ts';
import type { Kube, KubeObject } from './kube.ts';
import { podState, type SmokeWishes, smokeLine, smokePod, smokeService } from './smoke-objects.ts';

/** One rung of the end-to-end test. */
export interface SmokeStep {
  readonly name: string;
  readonly result: 'ok' | 'warning' | 'failed';
  readonly durationMs: number;
  readonly said: string;
}

/** What the test works with; time is given, so that tests of it do not wait. */
export interface SmokePorts {
  readonly kube: Kube;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Whoever waits has lost patience: what is there is removed, and nothing is waited for. */
  readonly signal: AbortSignal;
}

const lookMs = 1_000;

/**
 * Tries one node from end to end: Ready, pod and Service applied, Running, log read, all of it deleted. Cleans up
 * whatever happens and stops at the first rung that breaks.
 */
export async function smokeNode(
  wishes: readonly SmokeWishes[],
  timeoutMs: number,
  ports: SmokePorts,
): Promise<readonly SmokeStep[]> {
  const run = new SmokeRun(timeoutMs, ports);
  const node = wishes[0]?.node ?? '';
  if (await run.step(`node ${node} is Ready`, () => run.ready(node))) {
    for (const wish of wishes) if (!ports.signal.aborted) await run.pod(wish);
  }
  return run.steps;
}

class SmokeRun {
  readonly steps: SmokeStep[] = [];
  readonly #timeoutMs: number;
  readonly #ports: SmokePorts;

  constructor(timeoutMs: number, ports: SmokePorts) {
    this.#timeoutMs = timeoutMs;
    this.#ports = ports;
  }

  /** Does one rung; reports whether the next one may be tried. */
  async step(
    name: string,
    act: () => Promise<string>,
    worst: 'warning' | 'failed' = 'failed',
  ): Promise<boolean> {
    const startedAt = this.#ports.nowMs();
    const note = (result: SmokeStep['result'], said: string): void => {
      this.steps.push({ name, result, durationMs: this.#ports.nowMs() - startedAt, said });
    };
    try {
      note('ok', await act());
      return true;
    } catch (error) {
      note(worst, messageOf(error));
      return worst === 'warning';
    }
  }

  async ready(node: string): Promise<string> {
    return this.#until(async () => {
      const object = await this.#ports.kube.read({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: node },
      });
      if (object === undefined) throw new Error(`there is no node "${node}"; has the board joined?`);
      const ready = readyOf(object);
      return ready?.status === 'True'
        ? { done: ready.reason }
        : { why: `${ready?.reason}: ${ready?.message}` };
    });
  }

  async pod(wishes: SmokeWishes): Promise<void> {
    const { kube } = this.#ports;
    const [pod, service] = [smokePod(wishes), smokeService(wishes)];
    const where = wishes.isHostNetwork ? "on the board's network" : 'on a network of its own';
    try {
      const isApplied = await this.step(`pod and Service ${where} are applied`, async () => {
        await kube.create(pod);
        await kube.create(service);
        return pod.metadata.name;
      });
      if (!isApplied || !(await this.step('it is Running', () => this.#running(pod)))) return;
      const read = async (): Promise<string> => {
        const text = await kube.podLog(wishes.namespace, pod.metadata.name);
        if (text.includes(smokeLine(wishes.nonce))) return 'the line of the container is there';
        throw new Error('the log does not hold the line that the container printed');
      };
      await this.step('its log can be read', () => withHint(read), 'warning');
    } finally {
      await this.step('pod and Service are deleted', () => this.#delete(pod, service));
    }
  }

  async #running(pod: KubeObject): Promise<string> {
    return this.#until(async () => {
      const state = podState(await this.#ports.kube.read(pod));
      if (state.phase === 'over') throw new Error(state.why);
      return state.phase === 'running' ? { done: 'Running' } : { why: state.why };
    });
  }

  async #delete(pod: KubeObject, service: KubeObject): Promise<string> {
    const { kube } = this.#ports;
    await kube.remove(service);
    await kube.remove(pod);
    return this.#until(async () => {
      const isThere = (await kube.read(pod)) !== undefined;
      return isThere ? { why: 'the node has not confirmed that the pod ended' } : { done: 'gone' };
    });
  }

  async #until(look: () => Promise<{ readonly done: string } | { readonly why: string }>): Promise<string> {
    const deadline = this.#ports.nowMs() + this.#timeoutMs;
    for (;;) {
      const seen = await look();
      if ('done' in seen) return seen.done;
      if (this.#ports.signal.aborted) throw new Error(`interrupted: ${seen.why}`);
      if (this.#ports.nowMs() >= deadline)
        throw new Error(`not within ${this.#timeoutMs / 1000} s: ${seen.why}`);
      await this.#ports.sleep(lookMs);
    }
  }
}

async function withHint(read: () => Promise<string>): Promise<string> {
  try {
    return await read();
  } catch (error) {
    const fix = 'cloudStream of cloudcore and `agentctl join --edge-stream on` are needed for logs';
    throw new Error(`${messageOf(error)}; ${fix}`, { cause: error });
  }
}

interface Ready {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

function readyOf({ status }: KubeObject): Ready | undefined {
  const conditions = Array.isArray(status?.['conditions']) ? (status['conditions'] as readonly Ready[]) : [];
  return conditions.find(({ type }) => type === 'Ready');
}
