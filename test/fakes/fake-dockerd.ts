import { AgentError } from '../../agent/core/agent-error.ts';
import type { DockerAnswer, DockerApi, DockerRequest } from '../../agent/core/docker.ts';

/** A container of the fake dockerd. */
export interface FakeContainer {
  state: string;
  pid: number;
  error: string;
  readonly policy: string;
  startedAt?: string;
}

function inspected({ state, pid, error, policy, startedAt = 'once' }: FakeContainer): unknown {
  return {
    Name: '/web',
    State: { Running: state === 'running', Pid: pid, Error: error, StartedAt: startedAt },
    HostConfig: { RestartPolicy: { Name: policy } },
  };
}

/** dockerd as its probe sees it: a ping that it answers alone, and questions that go through containerd. */
export class FakeDockerd implements DockerApi {
  /** `absent`: nobody listens; `frozen`: nothing is answered; `runtime-hung`: only the ping is; `up`: all is well. */
  mood: 'up' | 'absent' | 'frozen' | 'runtime-hung' = 'up';
  status = 200;
  info: unknown = { Driver: 'overlay2', CgroupDriver: 'cgroupfs' };
  containers: readonly string[] = [];
  /** Containers with a state of their own, by id; those of `containers` run. */
  readonly states = new Map<string, FakeContainer>();
  /** Whether a container that dockerd says it has started does not run. */
  staysDown: () => boolean = () => false;
  /** Containers about which nothing is answered. */
  readonly hanging = new Set<string>();
  /** Changes are answered when this is over. */
  gate: Promise<void> = Promise.resolve();
  /** What a start or a restart does; the text is why it fails. */
  onStart: (id: string) => string | undefined = () => undefined;
  /** Status of lists of containers. */
  containersStatus = 200;
  readonly calls: string[] = [];

  async request(request: DockerRequest): Promise<DockerAnswer> {
    await Promise.resolve();
    const { method, path, timeoutMs } = request;
    this.calls.push(`${method} ${path}`);
    const isPing = path === '/_ping';
    if (this.mood === 'absent') throw new AgentError('TOOL_FAILED', `Cannot ask dockerd "${path}": ENOENT`);
    if (this.mood === 'frozen' || (this.mood === 'runtime-hung' && !isPing)) {
      throw new AgentError('TIMED_OUT', `Cannot ask dockerd "${path}": no answer within ${timeoutMs} ms`);
    }
    if (this.hanging.has(path.split('/')[2] ?? ''))
      throw new AgentError('TIMED_OUT', `Cannot ask dockerd "${path}": no answer within ${timeoutMs} ms`);
    if (method === 'POST') {
      await this.gate;
      return this.#change(path);
    }
    const body = isPing ? 'OK' : JSON.stringify(this.#answer(path));
    const status = path.startsWith('/containers/json') ? this.containersStatus : this.status;
    return { status, body: new TextEncoder().encode(body) };
  }

  #change(path: string): DockerAnswer {
    const [, , id = '', act = ''] = (path.split('?')[0] ?? '').split('/');
    const one = this.states.get(id);
    const why = act === 'stop' ? undefined : this.onStart(id);
    if (one !== undefined) {
      const isDown = act === 'stop' || this.staysDown();
      if (why === undefined) one.state = isDown ? 'exited' : 'running';
      if (one.state === 'running') one.startedAt = `by call ${this.calls.length}`;
      one.error = why ?? '';
    }
    const body = new TextEncoder().encode(JSON.stringify({ message: why }));
    return { status: why === undefined ? this.status : 500, body };
  }

  #answer(path: string): unknown {
    const running = this.containers.map((Id) => ({ Id, State: 'running' }));
    const others = [...this.states].map(([Id, { state }]) => ({ Id, State: state }));
    if (path.startsWith('/containers/json')) return [...running, ...others];
    const one = this.states.get(path.split('/')[2] ?? '');
    if (one !== undefined) return inspected(one);
    return path === '/info' ? this.info : {};
  }
}
