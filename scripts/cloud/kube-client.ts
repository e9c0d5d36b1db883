import type {
  ApisApi,
  AuthorizationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
} from '@kubernetes/client-node';
import { AgentError, messageOf } from '../../agent/core/agent-error.ts';
import { type Account, type Kube, type KubeName, type KubeObject, nameText, type Right } from './kube.ts';

type Library = typeof import('@kubernetes/client-node');

/** Resource names of KubeEdge's kinds; all of them live in namespaces. */
const plurals: Readonly<Record<string, string>> = {
  Device: 'devices',
  DeviceModel: 'devicemodels',
  DeviceStatus: 'devicestatuses',
  Rule: 'rules',
  RuleEndpoint: 'ruleendpoints',
};

/**
 * The API server of a kubeconfig, through Kubernetes' own client. KubeEdge's kinds do not go through its
 * KubernetesObjectApi: that one chooses the type by version and kind alone, takes a v1beta1 Device for Kubernetes' own
 * of the same name, and sends it without metadata and spec.
 */
export class KubeClient implements Kube {
  readonly #custom: CustomObjectsApi;
  readonly #objects: KubernetesObjectApi;
  readonly #core: CoreV1Api;
  readonly #groups: ApisApi;
  readonly #authorization: AuthorizationV1Api;
  readonly #asMergePatch: Parameters<CustomObjectsApi['patchNamespacedCustomObject']>[1];

  private constructor(library: Library, config: KubeConfig) {
    this.#custom = config.makeApiClient(library.CustomObjectsApi);
    this.#objects = library.KubernetesObjectApi.makeApiClient(config);
    this.#core = config.makeApiClient(library.CoreV1Api);
    this.#groups = config.makeApiClient(library.ApisApi);
    this.#authorization = config.makeApiClient(library.AuthorizationV1Api);
    this.#asMergePatch = library.setHeaderOptions('Content-Type', library.PatchStrategy.MergePatch);
  }

  /** Reads the named kubeconfig, else the one of the environment or the home directory. */
  static async open(file: string | undefined, context: string | undefined): Promise<KubeClient> {
    const library = await import('@kubernetes/client-node');
    const config = new library.KubeConfig();
    try {
      if (file === undefined) config.loadFromDefault();
      else config.loadFromFile(file);
      if (context !== undefined) config.setCurrentContext(context);
      return new KubeClient(library, config);
    } catch (error) {
      const text = `Cannot use the kubeconfig: ${messageOf(error)}; name one with --kubeconfig`;
      throw new AgentError('INPUT_INVALID', text, { cause: error });
    }
  }

  async read(name: KubeName): Promise<KubeObject | undefined> {
    try {
      return isBuiltIn(name)
        ? ((await this.#objects.read(copyOf(name))) as unknown as KubeObject)
        : ((await this.#custom.getNamespacedCustomObject(placeOf(name))) as KubeObject);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw refused('read', name, error);
    }
  }

  async list(apiVersion: string, kind: string, namespace?: string): Promise<readonly KubeObject[]> {
    const any = {
      apiVersion,
      kind,
      metadata: { name: '*', ...(namespace === undefined ? {} : { namespace }) },
    };
    try {
      const { items } = isBuiltIn(any)
        ? await this.#objects.list(apiVersion, kind, namespace)
        : ((await this.#custom.listNamespacedCustomObject(placeOf(any))) as { items: readonly object[] });
      // Items of a list do not repeat what they are.
      return items.map((item) => ({ ...(item as unknown as KubeObject), apiVersion, kind }));
    } catch (error) {
      if (isAbsent(error)) return [];
      throw refused('list', any, error);
    }
  }

  async create(object: KubeObject): Promise<void> {
    try {
      if (isBuiltIn(object)) await this.#objects.create(copyOf(object));
      else await this.#custom.createNamespacedCustomObject({ ...placeOf(object), body: object });
    } catch (error) {
      throw refused('create', object, error);
    }
  }

  async merge(object: KubeObject): Promise<void> {
    await this.#custom
      .patchNamespacedCustomObject({ ...placeOf(object), body: object }, this.#asMergePatch)
      .catch((error: unknown) => {
        throw refused('change', object, error);
      });
  }

  async remove(name: KubeName): Promise<void> {
    try {
      if (isBuiltIn(name)) await this.#objects.delete(copyOf(name));
      else await this.#custom.deleteNamespacedCustomObject(placeOf(name));
    } catch (error) {
      if (!isAbsent(error)) throw refused('remove', name, error);
    }
  }

  async allows({ namespace, name }: Account, right: Right): Promise<boolean | undefined> {
    const kind = 'SubjectAccessReview';
    const apiVersion = 'authorization.k8s.io/v1';
    // Groups that every account of its kind is in (kubernetes pkg/apis/serviceaccount MakeGroupNames).
    const groups = ['serviceaccounts', `serviceaccounts:${namespace}`, 'authenticated'];
    const spec = {
      user: `system:serviceaccount:${namespace}:${name}`,
      groups: groups.map((group) => `system:${group}`),
      resourceAttributes: { group: '', ...right },
    };
    try {
      const review = { body: { apiVersion, kind, metadata: {}, spec } };
      return (await this.#authorization.createSubjectAccessReview(review)).status?.allowed === true;
    } catch (error) {
      if (statusOf(error) === 403) return undefined;
      throw refused('ask for', { apiVersion, kind, metadata: { name } }, error);
    }
  }

  async podLog(namespace: string, pod: string): Promise<string> {
    try {
      return await this.#core.readNamespacedPodLog({ namespace, name: pod });
    } catch (error) {
      throw refused(
        'read the log of',
        { apiVersion: 'v1', kind: 'Pod', metadata: { name: pod, namespace } },
        error,
      );
    }
  }

  async versions(group: string): Promise<readonly string[]> {
    try {
      const { groups } = await this.#groups.getAPIVersions();
      return groups.find(({ name }) => name === group)?.versions.map(({ version }) => version) ?? [];
    } catch (error) {
      throw refused('read', { apiVersion: group, kind: 'APIGroup', metadata: { name: group } }, error);
    }
  }
}

/** Groups of Kubernetes itself have no dot; everybody else's are domains. */
function isBuiltIn({ apiVersion }: KubeName): boolean {
  return !apiVersion.includes('.');
}

/** The client writes into what it is given, and takes an object for what it sends. */
function copyOf<Name extends KubeName>(name: Name): Name {
  return structuredClone(name);
}

interface Place {
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly plural: string;
  readonly name: string;
}

function placeOf({ apiVersion, kind, metadata }: KubeName): Place {
  const [group = '', version = ''] = apiVersion.split('/');
  const plural = plurals[kind];
  if (plural === undefined)
    throw new AgentError('BUG', `Cannot place "${kind}": its resource name is not known`);
  return { group, version, plural, name: metadata.name, namespace: metadata.namespace ?? 'default' };
}

function statusOf(error: unknown): number | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

function isAbsent(error: unknown): boolean {
  return statusOf(error) === 404;
}

function refused(act: string, name: KubeName, error: unknown): AgentError {
  if (error instanceof AgentError) return error;
  const status = statusOf(error);
  const body =
    typeof error === 'object' && error !== null && 'body' in error ? String(error.body) : messageOf(error);
  const why = /"message":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? body.slice(0, 300);
  const fix = status === 403 ? '; this account lacks the right, see `kubectl auth can-i`' : '';
  const text = `Cannot ${act} ${nameText(name)}: ${status === undefined ? '' : `${status} `}${why}${fix}`;
  return new AgentError(status === undefined ? 'AGENT_UNREACHABLE' : 'TOOL_FAILED', text, { cause: error });
}
