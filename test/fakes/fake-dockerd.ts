import { AgentError } from '../../agent/core/agent-error.ts';
import type { DockerAnswer, DockerApi, DockerRequest } from '../../agent/core/docker.ts';

/** dockerd as its probe sees it: a ping that it answers alone, and questions that go through containerd. */
export class FakeDockerd implements DockerApi {
  /** `absent`: nobody listens; `frozen`: nothing is answered; `runtime-hung`: only the ping is; `up`: all is well. */
  mood: 'up' | 'absent' | 'frozen' | 'runtime-hung' = 'up';
  status = 200;
  info: unknown = { Driver: 'overlay2', CgroupDriver: 'cgroupfs' };
  containers: readonly string[] = [];
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
    const body = isPing ? 'OK' : JSON.stringify(this.#answer(path));
    const status = path.startsWith('/containers/json') ? this.containersStatus : this.status;
    return { status, body: new TextEncoder().encode(body) };
  }

  #answer(path: string): unknown {
    if (path.startsWith('/containers/json')) return this.containers.map((id) => ({ Id: id }));
    return path === '/info' ? this.info : {};
  }
}
