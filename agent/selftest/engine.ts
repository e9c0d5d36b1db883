import { AgentError } from '../core/agent-error.ts';
import type { DockerApi, DockerRequest } from '../core/docker.ts';
import { decodeLogFrames } from './log-frames.ts';

/** Label of everything the self-test makes, so that leftovers of a killed run are found. */
const label = 'oh-edge-agent.selftest';

/** A container that shall be run to its end. */
export interface ContainerOrder {
  readonly image: string;
  readonly cmd: readonly string[];
  readonly network: 'none' | 'bridge';
  /** Port inside that is published on a free port of 127.0.0.1. */
  readonly publishedPort?: number;
  /** Memory limit in bytes; absent means none. */
  readonly memoryBytes?: number;
  /** Milliseconds that its program may take. */
  readonly runMs: number;
}

/** How it went. */
export interface ContainerResult {
  readonly exitCode: number;
  /** Both streams. */
  readonly output: string;
  /** Memory limit in bytes that the engine holds for it; 0 where it dropped the limit. */
  readonly memoryBytes: number;
  readonly warnings: readonly string[];
}

/** Milliseconds for calls that only touch the engine's own state, and for those that start programs on a slow board. */
const quickMs = 20_000;
const slowMs = 120_000;

/** The few calls of the Docker Engine API that the ladder makes. Refusals reject with SELFTEST_FAILED and dockerd's own words. */
export class Engine {
  readonly #docker: DockerApi;

  constructor(docker: DockerApi) {
    this.#docker = docker;
  }

  /** Version of the engine and its architecture in Docker's words; asks containerd too, which a ping does not. */
  async version(signal: AbortSignal): Promise<{ readonly version: string; readonly architecture: string }> {
    const body = await this.#json({ method: 'GET', path: '/version', timeoutMs: quickMs }, signal);
    return { version: textOf(body, 'Version'), architecture: textOf(body, 'Arch') };
  }

  async loadImage(archive: Uint8Array, signal: AbortSignal): Promise<void> {
    const path = '/images/load?quiet=1';
    const bytes = await this.#bytes({ method: 'POST', path, body: archive, timeoutMs: slowMs }, signal);
    // The status is sent before the archive is read, so a refusal stands in the stream.
    const refused = /"error":"((?:[^"\\]|\\.)*)"/.exec(new TextDecoder().decode(bytes));
    if (refused !== null)
      throw new AgentError('SELFTEST_FAILED', JSON.parse(`"${refused[1] ?? ''}"`) as string);
  }

  /** Runs a container to its end and removes it whatever happens. */
  async runContainer(order: ContainerOrder, signal: AbortSignal): Promise<ContainerResult> {
    return this.#withContainer(order, signal, async (path, created) => {
      const wait = { method: 'POST', path: `${path}/wait`, timeoutMs: order.runMs } as const;
      const ended = await this.#json(wait, signal);
      const details = await this.#json({ method: 'GET', path: `${path}/json`, timeoutMs: quickMs }, signal);
      const logs = await this.#bytes(
        { method: 'GET', path: `${path}/logs?stdout=1&stderr=1`, timeoutMs: quickMs },
        signal,
      );
      return {
        exitCode: numberOf(ended, 'StatusCode'),
        output: decodeLogFrames(logs),
        memoryBytes: numberOf(details['HostConfig'], 'Memory'),
        warnings: textsOf(created, 'Warnings'),
      };
    });
  }

  /** Starts a container, hands its published port of this machine to `use`, and removes it whatever happens. */
  async servePort<T>(
    order: ContainerOrder,
    signal: AbortSignal,
    use: (port: number) => Promise<T>,
  ): Promise<T> {
    return this.#withContainer(order, signal, async (path) => {
      const details = await this.#json({ method: 'GET', path: `${path}/json`, timeoutMs: quickMs }, signal);
      const bindings = field(field(details['NetworkSettings'], 'Ports'), `${order.publishedPort}/tcp`);
      const port = Number(textOf(Array.isArray(bindings) ? bindings[0] : undefined, 'HostPort'));
      if (!(port > 0))
        throw new AgentError('SELFTEST_FAILED', 'dockerd started the container but published no port');
      return use(port);
    });
  }

  async #withContainer<T>(
    order: ContainerOrder,
    signal: AbortSignal,
    use: (path: string, created: Record<string, unknown>) => Promise<T>,
  ): Promise<T> {
    const body = createBody(order);
    const create = { method: 'POST', path: '/containers/create', body, timeoutMs: slowMs } as const;
    const created = await this.#json(create, signal);
    const path = `/containers/${textOf(created, 'Id')}`;
    try {
      await this.#bytes({ method: 'POST', path: `${path}/start`, timeoutMs: slowMs }, signal);
      return await use(path, created);
    } finally {
      await this.#remove(`${path}?force=1&v=1`);
    }
  }

  /** Removes what an earlier run that was killed left behind. */
  async sweep(signal: AbortSignal): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
    const path = `/containers/json?all=1&filters=${filters}`;
    const found = await this.#json({ method: 'GET', path, timeoutMs: quickMs }, signal);
    for (const one of Array.isArray(found) ? (found as unknown[]) : []) {
      await this.#remove(`/containers/${textOf(one, 'Id')}?force=1&v=1`);
    }
  }

  /** Removes the image; one that is not there is no error. */
  async removeImage(name: string): Promise<void> {
    await this.#remove(`/images/${name}?force=1`);
  }

  /** Clean-up goes on after an abort, within its own time; what it cannot remove the next run sweeps. */
  async #remove(path: string): Promise<void> {
    const never = new AbortController().signal;
    await this.#docker.request({ method: 'DELETE', path, timeoutMs: quickMs }, never).catch(() => undefined);
  }

  async #json(request: DockerRequest, signal: AbortSignal): Promise<Record<string, unknown>> {
    const text = new TextDecoder().decode(await this.#bytes(request, signal));
    try {
      return (JSON.parse(text) ?? {}) as Record<string, unknown>;
    } catch (error) {
      throw new AgentError(
        'SELFTEST_FAILED',
        `Cannot read the answer of dockerd to ${request.path}: no JSON`,
        {
          cause: error,
        },
      );
    }
  }

  async #bytes(request: DockerRequest, signal: AbortSignal): Promise<Uint8Array> {
    const { status, body } = await this.#docker.request(request, signal);
    if (status < 400) return body;
    throw new AgentError('SELFTEST_FAILED', refusalOf(status, new TextDecoder().decode(body)));
  }
}

function createBody({ image, cmd, network, memoryBytes = 0, publishedPort }: ContainerOrder): unknown {
  const port = `${publishedPort}/tcp`;
  const published =
    publishedPort === undefined ? {} : { PortBindings: { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] } };
  return {
    ...(publishedPort === undefined ? {} : { ExposedPorts: { [port]: {} } }),
    Image: image,
    Cmd: cmd,
    Labels: { [label]: '1' },
    NetworkDisabled: false,
    // Its own log driver: the daemon's default may be one that cannot be read back.
    HostConfig: {
      NetworkMode: network,
      Memory: memoryBytes,
      LogConfig: { Type: 'json-file', Config: {} },
      ...published,
    },
  };
}

function refusalOf(status: number, text: string): string {
  try {
    const message = textOf(JSON.parse(text), 'message');
    if (message !== '') return message;
  } catch {
    // Not JSON: its own words are the best there is.
  }
  return `dockerd answered ${status}: ${text.slice(0, 300)}`;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textOf(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === 'string' ? found : '';
}

function numberOf(value: unknown, name: string): number {
  const found = field(value, name);
  return typeof found === 'number' ? found : 0;
}

function textsOf(value: unknown, name: string): string[] {
  const found = field(value, name);
  return Array.isArray(found) ? found.filter((item): item is string => typeof item === 'string') : [];
}
