import * as v from 'valibot';
import { AgentError } from '../core/agent-error.ts';
import type { Commands } from '../core/commands.ts';
import type { DockerApi } from '../core/docker.ts';
import type { Programs } from '../core/program.ts';
import type { RuntimeKind } from './compatibility.ts';
import type { EdgePlaces } from './edge-places.ts';
import { findTool } from './find-tool.ts';

/** What containers of pods are removed with. */
export interface CleanerPorts {
  readonly docker: DockerApi;
  readonly commands: Commands;
  readonly programs: Programs;
  readonly places: EdgePlaces;
  /** Environment of the units; programs are looked for in its PATH. */
  readonly env: () => Readonly<Record<string, string>>;
  /** Runtime of the node as it was joined. */
  readonly runtime: () => RuntimeKind;
}

const containerShape = v.array(v.object({ Id: v.string(), ImageID: v.string() }));
/** Label that dockershim puts on every container of a pod (kubernetes pkg/kubelet/types/labels.go). */
const podLabel = 'io.kubernetes.pod.name';
const timeoutMs = 60_000;

/** Removes what edgecore started: containers of pods, and where wanted their images. Containers of others stay. */
export class PodCleaner {
  readonly #ports: CleanerPorts;

  constructor(ports: CleanerPorts) {
    this.#ports = ports;
  }

  async remove(options: { readonly withImages: boolean }, signal: AbortSignal): Promise<void> {
    if (this.#ports.runtime() === 'docker') await this.#fromDocker(options.withImages, signal);
    else await this.#fromContainerd(options.withImages);
  }

  async #fromDocker(withImages: boolean, signal: AbortSignal): Promise<void> {
    const filter = encodeURIComponent(JSON.stringify({ label: [podLabel] }));
    const answer = await this.#ask('GET', `/containers/json?all=1&filters=${filter}`, signal);
    const containers = v.parse(containerShape, JSON.parse(Buffer.from(answer.body).toString('utf8')));
    for (const { Id } of containers) await this.#ask('DELETE', `/containers/${Id}?force=1&v=1`, signal);
    if (!withImages) return;
    for (const image of new Set(containers.map(({ ImageID }) => ImageID))) {
      // 409: another container uses it.
      await this.#ask('DELETE', `/images/${encodeURIComponent(image)}`, signal, [404, 409]);
    }
  }

  /** containerd keeps everything of CRI in one namespace of its own, so all of it is of pods. */
  async #fromContainerd(withImages: boolean): Promise<void> {
    for (const id of await this.#ctr('tasks', 'ls', '-q'))
      await this.#ctr('tasks', 'kill', '-s', 'SIGKILL', '-a', id);
    for (const id of await this.#ctr('tasks', 'ls', '-q')) await this.#ctr('tasks', 'delete', '-f', id);
    for (const id of await this.#ctr('containers', 'ls', '-q')) await this.#ctr('containers', 'delete', id);
    if (!withImages) return;
    const images = await this.#ctr('images', 'ls', '-q');
    if (images.length > 0) await this.#ctr('images', 'rm', ...images);
  }

  async #ctr(...args: readonly string[]): Promise<readonly string[]> {
    const { commands, places } = this.#ports;
    const { path } = await findTool('ctr', this.#ports);
    const base = [path, '-a', places.containerdSocket, '-n', 'k8s.io'] as const;
    const { code, stdout, stderr } = await commands.run([...base, ...args], { timeoutMs });
    const isGone = /not found|already finished/.test(stderr);
    if (code !== 0 && !isGone) {
      throw new AgentError(
        'TOOL_FAILED',
        `ctr ${args.join(' ')} ended with status ${code}: ${stderr.trim().slice(0, 300)}`,
      );
    }
    return stdout.split('\n').filter((line) => line !== '');
  }

  async #ask(
    method: 'GET' | 'DELETE',
    path: string,
    signal: AbortSignal,
    allowed: readonly number[] = [404],
  ): Promise<{ readonly status: number; readonly body: Uint8Array }> {
    const answer = await this.#ports.docker.request({ method, path, timeoutMs }, signal);
    if (answer.status < 300 || allowed.includes(answer.status)) return answer;
    const said = Buffer.from(answer.body).toString('utf8').slice(0, 300);
    throw new AgentError(
      'TOOL_FAILED',
      `dockerd answered ${answer.status} to ${method} ${path.split('?')[0]}: ${said}`,
    );
  }
}
