import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

type Json = Record<string, unknown>;

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

const devices: readonly Resource[] = [
  { name: 'devices', kind: 'Device', namespaced: true },
  { name: 'devicemodels', kind: 'DeviceModel', namespaced: true },
  { name: 'devicestatuses', kind: 'DeviceStatus', namespaced: true },
];
const rules: readonly Resource[] = [
  { name: 'rules', kind: 'Rule', namespaced: true },
  { name: 'ruleendpoints', kind: 'RuleEndpoint', namespaced: true },
];
const core: readonly Resource[] = [
  { name: 'nodes', kind: 'Node', namespaced: false },
  { name: 'secrets', kind: 'Secret', namespaced: true },
  { name: 'configmaps', kind: 'ConfigMap', namespaced: true },
  { name: 'pods', kind: 'Pod', namespaced: true },
  { name: 'services', kind: 'Service', namespaced: true },
  { name: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true },
];
const apps: readonly Resource[] = [{ name: 'daemonsets', kind: 'DaemonSet', namespaced: true }];

/** STAND-IN for a Kubernetes API server: discovery, objects in memory, merge patch, reviews of rights. No schemas; nobody is refused. */
export class KubeServer {
  readonly #server: Server;
  readonly #objects = new Map<string, Json>();
  readonly #resources: Readonly<Record<string, readonly Resource[]>>;
  readonly #directory = mkdtempSync(path.join(os.tmpdir(), 'kube-'));
  /** Method and path of every request that would change something. */
  readonly writes: string[] = [];
  isForbidden = false;
  /** Answers who may do what: `system:serviceaccount:kubeedge:cloudcore` and `patch nodes/status`; undefined: it may not be asked. */
  may: ((user: string, act: string) => boolean) | undefined = () => true;
  /** Plays the kubelet: the status that a new pod has at once, and its log. */
  kubelet: { readonly status: Json; readonly log: string | undefined } | undefined;

  private constructor(deviceVersions: readonly string[]) {
    this.#resources = {
      'api/v1': core,
      'apis/apps/v1': apps,
      'apis/rules.kubeedge.io/v1': rules,
      ...Object.fromEntries(
        deviceVersions.map((version) => [`apis/devices.kubeedge.io/${version}`, devices]),
      ),
    };
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, body }) => {
        const isText = typeof body === 'string';
        response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json' });
        response.end(isText ? body : JSON.stringify(body));
      });
    });
  }

  static async start(deviceVersions: readonly string[] = ['v1alpha2', 'v1beta1']): Promise<KubeServer> {
    const server = new KubeServer(deviceVersions);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** Path of a kubeconfig for this server. */
  get kubeconfig(): string {
    const file = path.join(this.#directory, 'kubeconfig');
    const { port } = this.#server.address() as AddressInfo;
    const named = (name: string, value: Json): Json => ({ name, ...value });
    writeFileSync(
      file,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'c',
        clusters: [
          named('c', { cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }),
        ],
        users: [named('u', { user: {} })],
        contexts: [named('c', { context: { cluster: 'c', user: 'u' } })],
      }),
    );
    return file;
  }

  put(location: string, object: Json): void {
    this.#objects.set(location, object);
  }

  get(location: string): Json | undefined {
    return this.#objects.get(location);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#directory, { recursive: true });
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const body = await text(request);
    const { method = 'GET', url = '' } = request;
    const location = url.split('?')[0]?.slice(1).replace(/\/$/, '') ?? '';
    const known = method === 'GET' ? this.#discovery(location) : undefined;
    if (known !== undefined) return { status: 200, body: known };
    if (location === 'apis/authorization.k8s.io/v1/subjectaccessreviews') return this.#review(body);
    if (method !== 'GET') this.writes.push(`${method} ${location}`);
    if (this.isForbidden) return failure(403, 'Forbidden', 'devices is forbidden');
    return method === 'GET'
      ? this.#read(location)
      : this.#write(method, location, body === '' ? {} : (JSON.parse(body) as Json));
  }

  #review(text: string): { status: number; body: unknown } {
    const review = JSON.parse(text) as { spec: { user: string; resourceAttributes: Record<string, string> } };
    const { verb, resource, subresource, name } = review.spec.resourceAttributes;
    if (this.may === undefined) return failure(403, 'Forbidden', 'subjectaccessreviews is forbidden');
    const what = [resource, subresource, name].filter((part) => part !== undefined).join('/');
    return {
      status: 201,
      body: { ...review, status: { allowed: this.may(review.spec.user, `${verb} ${what}`) } },
    };
  }

  #discovery(location: string): Json | undefined {
    if (location === 'apis') {
      const groups = [
        ...new Set(
          Object.keys(this.#resources)
            .filter((key) => key !== 'api/v1')
            .map((key) => key.split('/')[1] ?? ''),
        ),
      ];
      const list = groups.map((name) => {
        const versions = Object.keys(this.#resources)
          .filter((key) => key.startsWith(`apis/${name}/`))
          .map((key) => ({ version: key.split('/')[2] ?? '', groupVersion: key.slice(5) }));
        return { name, versions, preferredVersion: versions[0] };
      });
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: list };
    }
    const resources = this.#resources[location];
    if (resources === undefined) return undefined;
    const verbs = ['get', 'list', 'create', 'patch', 'delete'];
    return {
      kind: 'APIResourceList',
      groupVersion: location.replace(/^apis?\//, ''),
      resources: resources.map((resource) => ({ ...resource, singularName: '', verbs })),
    };
  }

  #read(location: string): { status: number; body: unknown } {
    const object = this.#objects.get(location);
    if (object !== undefined) return { status: 200, body: object };
    const last = location.split('/').at(-1) ?? '';
    if (last === 'log') {
      const log = this.kubelet?.log;
      return log === undefined
        ? failure(500, 'InternalError', 'dial tcp: refused')
        : { status: 200, body: log };
    }
    const isCollection = Object.values(this.#resources)
      .flat()
      .some(({ name }) => name === last);
    if (!isCollection) return failure(404, 'NotFound', `${location} not found`);
    const items = [...this.#objects]
      .filter(([key]) => key.startsWith(`${location}/`) || isInAnyNamespace(key, location))
      .map(([, item]) => item);
    return { status: 200, body: { kind: 'List', apiVersion: 'v1', metadata: {}, items } };
  }

  #write(method: string, location: string, body: Json): { status: number; body: unknown } {
    if (method === 'POST') {
      const place = `${location}/${(body['metadata'] as { name: string }).name}`;
      if (this.#objects.has(place)) return failure(409, 'AlreadyExists', `${place} already exists`);
      const isPod = location.endsWith('/pods') && this.kubelet !== undefined;
      this.#objects.set(place, isPod ? { ...body, status: this.kubelet?.status } : body);
      return { status: 201, body };
    }
    const before = this.#objects.get(location);
    if (before === undefined) return failure(404, 'NotFound', `${location} not found`);
    if (method === 'DELETE') {
      this.#objects.delete(location);
      return { status: 200, body: { kind: 'Status', apiVersion: 'v1', status: 'Success' } };
    }
    const merged = mergePatch(before, body) as Json;
    this.#objects.set(location, merged);
    return { status: 200, body: merged };
  }
}

/** Reports whether an object is in a collection that is asked for without a namespace. */
function isInAnyNamespace(key: string, location: string): boolean {
  const cut = location.lastIndexOf('/');
  const parts = key.slice(cut + 1).split('/');
  return (
    key.startsWith(location.slice(0, cut)) &&
    parts[0] === 'namespaces' &&
    parts[2] === location.slice(cut + 1)
  );
}

function failure(code: number, reason: string, message: string): { status: number; body: unknown } {
  return {
    status: code,
    body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code },
  };
}

/** RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...(target as Json) } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete base[name];
    else base[name] = mergePatch(base[name], value);
  }
  return base;
}
