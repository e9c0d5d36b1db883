import { errnoOf, isAgentError, messageOf } from '../core/agent-error.ts';
import type { ContainerdApi } from '../core/containerd-api.ts';
import type { DockerApi } from '../core/docker.ts';
import type { Health, ProbeDepth } from '../core/unit-spec.ts';

/** What must be behind a dockerd. */
export interface DockerdBacking {
  /** Drivers that /info must show before it may be given work. */
  readonly storage: string;
  readonly cgroup: string;
  /** Socket of its containerd. */
  readonly containerd: string;
}

/** Milliseconds for each of the requests of a probe. */
export interface ProbeTimes {
  readonly pingMs: number;
  readonly containerdMs: number;
  readonly deepMs: number;
}

/**
 * Asks dockerd in steps. `/_ping` is answered by dockerd alone; `/info` and `/version` go through containerd, so when only
 * these hang the runtime hangs, and killing dockerd would cure nothing. For both dockerd starts runc and docker-init, so at
 * rest containerd is asked itself, and dockerd only where that gives no answer.
 */
export class DockerdProbe {
  readonly #docker: DockerApi;
  readonly #containerd: ContainerdApi;
  readonly #times: ProbeTimes;

  constructor(docker: DockerApi, containerd: ContainerdApi, times: ProbeTimes) {
    this.#docker = docker;
    this.#containerd = containerd;
    this.#times = times;
  }

  async probe(depth: ProbeDepth, backing: DockerdBacking, signal: AbortSignal): Promise<Health> {
    try {
      return await this.#look(depth, backing, signal);
    } catch (error) {
      // It was not even asked, so its silence says nothing.
      if (isShortOfFiles(error)) return { verdict: 'alive' };
      throw error;
    }
  }

  async #look(depth: ProbeDepth, backing: DockerdBacking, signal: AbortSignal): Promise<Health> {
    const ping = await this.#ask('/_ping', this.#times.pingMs, signal);
    if (!ping.ok) return { verdict: 'silent', reason: 'NotAnswering', message: ping.why };
    if (ping.status !== 200) return wrongStatus('/_ping', ping.status, ping.text);
    switch (depth) {
      case 'cheap':
        return { verdict: 'alive' };
      case 'deep':
        return this.#runtime(backing.containerd, signal);
      case 'start':
        return this.#info(backing, signal);
    }
  }

  async #runtime(containerd: string, signal: AbortSignal): Promise<Health> {
    if (await this.#containerd.listsNamespaces(containerd, this.#times.containerdMs))
      return { verdict: 'alive' };
    const answer = await this.#ask('/version', this.#times.deepMs, signal);
    if (!answer.ok) return runtimeHung(answer.why);
    return answer.status === 200 ? { verdict: 'alive' } : wrongStatus('/version', answer.status, answer.text);
  }

  async #info(wanted: DockerdBacking, signal: AbortSignal): Promise<Health> {
    const answer = await this.#ask('/info', this.#times.deepMs, signal);
    if (!answer.ok) return runtimeHung(answer.why);
    if (answer.status !== 200) return wrongStatus('/info', answer.status, answer.text);
    const info = parseInfo(answer.text);
    if (info === undefined)
      return unready('InfoUnreadable', 'dockerd answers /info with something else than JSON');
    if (info.Driver !== wanted.storage) {
      const message = `dockerd uses storage driver "${info.Driver}", want "${wanted.storage}"; see \`agentctl logs dockerd\``;
      return unready('WrongStorageDriver', message);
    }
    if (info.CgroupDriver !== wanted.cgroup) {
      const message = `dockerd uses cgroup driver "${info.CgroupDriver}", want "${wanted.cgroup}"; edgecore needs the same`;
      return unready('WrongCgroupDriver', message);
    }
    return { verdict: 'ready' };
  }

  async #ask(
    path: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<{ ok: true; status: number; text: string } | { ok: false; why: string }> {
    try {
      const answer = await this.#docker.request({ method: 'GET', path, timeoutMs }, signal);
      return { ok: true, status: answer.status, text: new TextDecoder().decode(answer.body) };
    } catch (error) {
      if (isShortOfFiles(error)) throw error;
      return { ok: false, why: isAgentError(error) ? error.message : `"${path}": ${messageOf(error)}` };
    }
  }
}

/** Nobody on the board, or nobody in the agent, gets another descriptor. */
function isShortOfFiles(error: unknown): boolean {
  const errno = error instanceof Error ? errnoOf(error.cause) : undefined;
  return errno === 'EMFILE' || errno === 'ENFILE';
}

/** It answered the ping, so its start is over: it is never killed for what it says. */
function unready(reason: string, message: string): Health {
  return { verdict: 'unready', hasStarted: true, reason, message };
}

function runtimeHung(why: string): Health {
  return unready('RuntimeHung', `dockerd answers, but what goes through containerd does not: ${why}`);
}

function wrongStatus(path: string, status: number, text: string): Health {
  return unready('ErrorAnswer', `dockerd answers ${path} with status ${status}: ${text.slice(0, 200)}`);
}

function parseInfo(text: string): { readonly Driver: string; readonly CgroupDriver: string } | undefined {
  try {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    return { Driver: String(value?.['Driver']), CgroupDriver: String(value?.['CgroupDriver']) };
  } catch {
    return undefined;
  }
}
