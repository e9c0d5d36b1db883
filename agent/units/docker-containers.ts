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
  const ids = await listContainers(docker, { isAll: false, timeoutMs: 5_000 }, signal);
  const stops = ids.map(async (id) => {
    const path = `/containers/${id}/stop?t=${graceS}`;
    const result = await docker.request({ method: 'POST', path, timeoutMs }, signal).catch(() => undefined);
    return result !== undefined && result.status < 400 ? id.slice(0, 12) : undefined;
  });
  return (await Promise.all(stops)).filter((id) => id !== undefined);
}

/** Ids of the containers that dockerd knows, with `isAll` those too that do not run. Rejects where it does not say. */
export async function listContainers(
  docker: DockerApi,
  { isAll, timeoutMs }: { readonly isAll: boolean; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const path = isAll ? '/containers/json?all=1' : '/containers/json';
  const answer = await docker.request({ method: 'GET', path, timeoutMs }, signal);
  if (answer.status !== 200) {
    throw new AgentError(
      'TOOL_FAILED',
      `Cannot list containers: dockerd answers with status ${answer.status}`,
    );
  }
  return containerIds(new TextDecoder().decode(answer.body));
}

function containerIds(text: string): readonly string[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) return [];
  return list
    .map((item: unknown) =>
      typeof item === 'object' && item !== null && 'Id' in item ? String(item.Id) : '',
    )
    .filter((id) => /^[0-9a-f]{12,64}$/.test(id));
}
