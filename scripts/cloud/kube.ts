/** A Kubernetes object as far as these programs care. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
}

/** Which object is meant. */
export type KubeName = Pick<KubeObject, 'apiVersion' | 'kind'> & {
  readonly metadata: { readonly name: string; readonly namespace?: string };
};

/** Something that an account may do or not; the group is Kubernetes' own. */
export interface Right {
  readonly verb: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly namespace?: string;
}

/** A ServiceAccount. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** The few things that are asked of a Kubernetes API server. Every refusal is an AgentError that names the object. */
export interface Kube {
  /** Undefined where there is no such object, or no such kind. */
  read(name: KubeName): Promise<KubeObject | undefined>;
  /** Empty where there is no such kind. Without a namespace: all of them, for Kubernetes' own kinds. */
  list(apiVersion: string, kind: string, namespace?: string): Promise<readonly KubeObject[]>;
  create(object: KubeObject): Promise<void>;
  /** Merges as JSON Merge Patch (RFC 7386). */
  merge(object: KubeObject): Promise<void>;
  remove(name: KubeName): Promise<void>;
  /** Versions of an API group that the server serves, e.g. `v1beta1`; empty where it knows no such group. */
  versions(group: string): Promise<readonly string[]>;
  /** Whether an account may do something; undefined where this kubeconfig may not ask. */
  allows(account: Account, right: Right): Promise<boolean | undefined>;
  /** Log of the pod's container; needs cloudcore's cloudStream where the pod runs on an edge node. */
  podLog(namespace: string, pod: string): Promise<string>;
}

/** An object in a few words, as kubectl writes it. */
export function nameText({ kind, metadata }: KubeName): string {
  const place = metadata.namespace === undefined ? '' : `${metadata.namespace}/`;
  return `${kind.toLowerCase()} ${place}${metadata.name}`;
}
