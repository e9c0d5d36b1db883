import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { AgentError } from '../../agent/core/agent-error.ts';
import type { DockerAnswer, DockerApi, DockerRequest } from '../../agent/core/docker.ts';

interface Container {
  readonly id: string;
  readonly image: string;
  readonly cmd: readonly string[];
  readonly network: string;
  readonly memoryBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  output: string;
  exitCode: number;
}

/** What a program in the fake engine says and how it ends. */
export interface Played {
  readonly output: string;
  readonly exitCode: number;
}

interface CreateBody {
  readonly Image: string;
  readonly Cmd: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly HostConfig: { readonly NetworkMode: string; readonly Memory: number };
}

/**
 * Docker Engine API as far as the self-test asks it, without containers: it unpacks the archive it is given, refuses
 * what dockerd refuses, and plays the programs. A stand-in: it says nothing about a real engine.
 */
export class FakeEngine implements DockerApi {
  readonly images = new Map<string, ReadonlyMap<string, Uint8Array>>();
  readonly containers = new Map<string, Container>();
  /** Calls so far, `METHOD path` without query. */
  readonly calls: string[] = [];
  architecture = 'amd64';
  /** Drops memory limits with this warning, as dockerd does without the memory cgroup. */
  memoryWarning: string | undefined;
  /** Warnings besides, which drop nothing. */
  warnings: readonly string[] = [];
  /** First match refuses the call with dockerd's words. */
  refuse: readonly { readonly call: RegExp; readonly status?: number; readonly message: string }[] = [];
  /** First match fails the call before any answer. */
  fail: readonly { readonly call: RegExp; readonly error: Error }[] = [];
  /** What the programs say; by default what a sound board's say. */
  play: (container: Container) => Played = (container) => soundBoard(container);
  #count = 0;

  async request(request: DockerRequest, signal: AbortSignal): Promise<DockerAnswer> {
    signal.throwIfAborted();
    const [path = ''] = request.path.split('?');
    const call = `${request.method} ${path}`;
    this.calls.push(call);
    const failed = this.fail.find((rule) => rule.call.test(call));
    if (failed !== undefined) throw failed.error;
    const refused = this.refuse.find((rule) => rule.call.test(call));
    if (refused !== undefined) return answer(refused.status ?? 500, { message: refused.message });
    return this.#answer(request, path.split('/').slice(1));
  }

  async #answer(request: DockerRequest, [noun, id = '', verb]: string[]): Promise<DockerAnswer> {
    const { method } = request;
    if (noun === 'version') return answer(200, { Version: '20.10.24', Arch: this.architecture });
    if (noun === 'images') return this.#image(request);
    if (id === 'create') return this.#create(request.body as CreateBody);
    if (id === 'json') return answer(200, this.#list());
    const container = this.containers.get(id);
    if (container === undefined) return answer(404, { message: `No such container: ${id}` });
    if (method === 'DELETE') {
      this.containers.delete(id);
      return answer(204, undefined);
    }
    if (verb === 'start') Object.assign(container, this.play(container));
    if (verb === 'wait') return answer(200, { StatusCode: container.exitCode });
    if (verb === 'json') return answer(200, detailsOf(container));
    if (verb === 'logs') return { status: 200, body: frame(container.output) };
    return answer(204, undefined);
  }

  async #image({ method, path, body }: DockerRequest): Promise<DockerAnswer> {
    if (method === 'DELETE') {
      const name = path.slice('/images/'.length).split('?')[0] ?? '';
      return this.images.delete(name) ? answer(200, []) : answer(404, { message: 'No such image' });
    }
    if (!(body instanceof Uint8Array)) throw new AgentError('BUG', 'Cannot load the image: no archive');
    const files = await unpack(body);
    const text = (name: string): string => new TextDecoder().decode(files.get(name));
    const [manifest] = JSON.parse(text('manifest.json')) as { Config: string; RepoTags: string[] }[];
    const { architecture } = JSON.parse(text(manifest?.Config ?? '')) as { architecture: string };
    if (architecture !== this.architecture) return answer(200, { error: `no match for ${architecture}` });
    this.images.set(manifest?.RepoTags[0] ?? '', files);
    return answer(200, { stream: 'Loaded image' });
  }

  #create({ Image, Cmd, Labels, HostConfig }: CreateBody): DockerAnswer {
    if (!this.images.has(Image)) return answer(404, { message: `No such image: ${Image}` });
    this.#count += 1;
    const id = `c${this.#count}`;
    const isDropped = this.memoryWarning !== undefined && HostConfig.Memory > 0;
    this.containers.set(id, {
      id,
      image: Image,
      cmd: Cmd,
      labels: Labels,
      network: HostConfig.NetworkMode,
      memoryBytes: isDropped ? 0 : HostConfig.Memory,
      output: '',
      exitCode: 0,
    });
    return answer(201, { Id: id, Warnings: [...this.warnings, ...(isDropped ? [this.memoryWarning] : [])] });
  }

  #list(): { Id: string }[] {
    return [...this.containers.keys()].map((Id) => ({ Id }));
  }
}

/** What the scripts of the self-test print on a board where everything works. */
export function soundBoard({ cmd, network, memoryBytes }: Container): Played {
  const [, , , script = '', , token = '', first = '', second = ''] = cmd;
  const lines = [`token ${token}`];
  if (script.includes('uname')) lines.push('kernel Linux 5.10 aarch64');
  if (script.includes('memory-limit')) {
    lines.push(
      `memory-limit ${memoryBytes === 0 ? 'max' : memoryBytes}`,
      'memory-file /sys/fs/cgroup/memory.max',
    );
  }
  if (script.includes('ping') && network === 'bridge') lines.push('gateway 172.17.0.1', 'ping answered');
  if (script.includes('nslookup')) lines.push(`resolved ${first}`);
  if (script.includes(' nc ')) lines.push(`reached ${first}:${second}`);
  return { output: `${lines.join('\n')}\n`, exitCode: 0 };
}

/** Every published port is 49153, as if it were the first that is free. */
function detailsOf({ memoryBytes }: Container): unknown {
  const Ports = { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '49153' }] };
  return { HostConfig: { Memory: memoryBytes }, NetworkSettings: { Ports } };
}

function answer(status: number, body: unknown): DockerAnswer {
  return { status, body: new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body)) };
}

/** One frame of dockerd's multiplexed log: stream 1, three zeroes, size. */
function frame(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const framed = new Uint8Array(8 + bytes.length);
  framed[0] = 1;
  new DataView(framed.buffer).setUint32(4, bytes.length, false);
  framed.set(bytes, 8);
  return framed;
}

/** Files of a tar archive by name. */
export async function unpack(archive: Uint8Array): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const reader = extract();
  Readable.from([Buffer.from(archive)]).pipe(reader as unknown as NodeJS.WritableStream);
  for await (const entry of reader) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) chunks.push(chunk as Uint8Array);
    const mark = entry.header.type === 'symlink' ? ` -> ${entry.header.linkname}` : '';
    files.set(`${entry.header.name}${mark}`, Buffer.concat(chunks));
  }
  return files;
}
