import { AgentError } from '../core/agent-error.ts';
import type { DockerApi } from '../core/docker.ts';

/** How containers are stopped. */
export interface StopContainersOptions {
  /** Seconds between SIGTERM and SIGKILL inside each container. */
  readonly graceS: number;
  readonly timeoutMs: number;
}

/** Stops all running containers at the same time and returns their short ids; those that do not stop are left out. */
export async function stopContainers(
  docker: DockerApi,
  options: StopContainersOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { timeoutMs, graceS } = options;
  const running = await listContainers(docker, { isAll: false, timeoutMs: 5_000 }, signal);
  const stops = running.map(async ({ id }) => {
    const path = `/containers/${id}/stop?t=${graceS}`;
    const result = await docker.request({ method: 'POST', path, timeoutMs }, signal).catch(() => undefined);
    return result !== undefined && result.status < 400 ? shortId(id) : undefined;
  });
  return (await Promise.all(stops)).filter((id) => id !== undefined);
}

/** A container in a list of dockerd's. */
export interface ListedContainer {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`. */
  readonly state: string;
}

/** What dockerd says of one container. */
export interface ContainerState {
  readonly name: string;
  readonly isRunning: boolean;
  /** Its first process; 0 where it does not run. */
  readonly pid: number;
  /** Why it could not be started last time; empty where it could. */
  readonly error: string;
  /** Whether its restart policy wants it to run. */
  readonly isToRun: boolean;
  /** When it was started last, as dockerd writes it: tells one life of it from the next. */
  readonly startedAt: string;
  /** Seconds that it gets to stop. */
  readonly stopTimeoutS: number;
}

/** Docker's own, where a container has none. */
const defaultStopTimeoutS = 10;

/** Containers that dockerd knows, with `isAll` those too that do not run. Rejects where it does not say. */
export async function listContainers(
  docker: DockerApi,
  { isAll, timeoutMs }: { readonly isAll: boolean; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<readonly ListedContainer[]> {
  const path = isAll ? '/containers/json?all=1' : '/containers/json';
  const answer = await docker.request({ method: 'GET', path, timeoutMs }, signal);
  if (answer.status !== 200) throw wrongStatus('list containers', answer.status);
  const list = objectOf(answer.body);
  if (!Array.isArray(list)) return [];
  const all = list.map((item: unknown) => {
    const { Id, State } = fieldsOf(item);
    return { id: String(Id), state: String(State) };
  });
  return all.filter(({ id }) => /^[0-9a-f]{12,64}$/.test(id));
}

/** One container; undefined where it is gone. Rejects where dockerd does not say. */
export async function inspectContainer(
  docker: DockerApi,
  id: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ContainerState | undefined> {
  const answer = await docker.request({ method: 'GET', path: `/containers/${id}/json`, timeoutMs }, signal);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw wrongStatus(`look at container ${shortId(id)}`, answer.status);
  const { Name, State, HostConfig, Config } = fieldsOf(objectOf(answer.body));
  const { Running, Pid, Error: error, StartedAt } = fieldsOf(State);
  const { StopTimeout } = fieldsOf(Config);
  const policy = fieldsOf(fieldsOf(HostConfig)['RestartPolicy'])['Name'];
  return {
    name: String(Name).replace(/^\//, ''),
    isRunning: Running === true,
    pid: Number(Pid) || 0,
    error: typeof error === 'string' ? error.slice(0, 300) : '',
    startedAt: String(StartedAt),
    stopTimeoutS: typeof StopTimeout === 'number' ? StopTimeout : defaultStopTimeoutS,
    isToRun: typeof policy === 'string' && policy !== '' && policy !== 'no',
  };
}

/** The first characters of an id, as docker prints them. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

function wrongStatus(what: string, status: number): AgentError {
  return new AgentError('TOOL_FAILED', `Cannot ${what}: dockerd answers with status ${status}`);
}

function objectOf(body: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(body));
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
