import { X509Certificate } from 'node:crypto';
import { parse } from 'yaml';
import type { EnrolmentAnswer, Unreachable } from '../../agent/core/cloud-probe.ts';
import { authorityHash } from '../../agent/edge/cloud-checks.ts';
import { parseToken } from '../../agent/edge/token.ts';
import type { KubeObject } from './kube.ts';
import { isEdge } from './node-view.ts';

/** One thing that was looked at in the cloud half. */
export interface CloudFinding {
  readonly severity: 'ok' | 'note' | 'warning' | 'error';
  readonly title: string;
  /** What was seen and, where something is wrong, what to do. Never a secret. */
  readonly message: string;
}

/** What the address that the boards use answered. */
export interface AddressFacts {
  readonly host: string;
  readonly hub: { readonly ok: true } | Unreachable;
  readonly enrolment: EnrolmentAnswer | Unreachable;
}

/** Checks the address that boards join at, and the certificate behind it. */
export function addressFindings({ host, hub, enrolment }: AddressFacts): readonly CloudFinding[] {
  const ports = [
    { title: 'WebSocket port (10000) answers', answer: hub },
    { title: 'port for certificates (10002) answers', answer: enrolment },
  ].map(({ title, answer }): CloudFinding => {
    if (answer.ok) return { severity: 'ok', title, message: host };
    const message = `${answer.message}; no board can join: open the port, or correct the address`;
    return { severity: 'error', title, message };
  });
  return enrolment.ok ? [...ports, nameFinding(host, enrolment)] : ports;
}

function nameFinding(host: string, { serverDer }: EnrolmentAnswer): CloudFinding {
  const title = "cloudcore's certificate is for that address";
  const server = new X509Certificate(serverDer);
  const isAddress = host.includes(':') || /^[\d.]+$/.test(host);
  if ((isAddress ? server.checkIP(host) : server.checkHost(host)) !== undefined)
    return { severity: 'ok', title, message: host };
  const names = server.subjectAltName ?? 'no name at all';
  const message = `it is for ${names}; add ${host} to modules.cloudHub.advertiseAddress (or dnsNames), delete the secret cloudcoresecret and restart cloudcore`;
  return { severity: 'error', title, message };
}

/** Checks the token that boards join with. */
export function tokenFindings(
  secret: KubeObject | undefined,
  enrolment: EnrolmentAnswer | Unreachable | undefined,
  nowMs: number,
): readonly CloudFinding[] {
  const title = 'there is a token to join with';
  const encoded = secret?.data?.['tokendata'];
  const result = parseToken(encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8'));
  if (!result.ok) {
    const message = `the token in secret kubeedge/tokensecret ${result.problem}; does cloudcore run?`;
    return [{ severity: 'error', title, message }];
  }
  const { expiresAtMs, caHash } = result.token;
  const life = lifeText(expiresAtMs, nowMs);
  const isOver = expiresAtMs !== undefined && expiresAtMs <= nowMs;
  const age: CloudFinding = isOver
    ? {
        severity: 'error',
        title,
        message: `${life}; cloudcore renews it every 12 h, so it does not run or cannot write the secret`,
      }
    : { severity: 'ok', title, message: life };
  if (enrolment?.ok !== true || authorityHash(enrolment.authorityDer) === caHash) return [age];
  const message =
    'the token names another authority than the one that cloudcore shows: this kubeconfig is of another cluster, or cloudcore must be restarted';
  return [age, { severity: 'error', title: 'token and cloudcore belong together', message }];
}

/** Remaining life of a token in words. */
export function lifeText(expiresAtMs: number | undefined, nowMs: number): string {
  if (expiresAtMs === undefined) return 'valid without end';
  const minutes = Math.round((expiresAtMs - nowMs) / 60_000);
  const span =
    Math.abs(minutes) < 120 ? `${Math.abs(minutes)} min` : `${Math.round(Math.abs(minutes) / 60)} h`;
  return minutes > 0 ? `valid for ${span}` : `ended ${span} ago`;
}

/** Switches of cloudcore that boards depend on, and what does not work without them. */
const switches = [
  { path: ['router'], lost: 'questions to boards (`npm run cloud -- ask`) and free reports' },
  {
    path: ['dynamicController'],
    lost: "edgecore's own Kubernetes API (metaServer) for everything that is not cached",
  },
  { path: ['cloudStream'], lost: '`kubectl logs` and `kubectl exec` on edge nodes' },
] as const;

/** Checks cloudcore's configuration; the chart keeps it in ConfigMap kubeedge/cloudcore. */
export function configFindings(
  configMap: KubeObject | undefined,
  edgeNodes: number,
): readonly CloudFinding[] {
  const modules = modulesOf(configMap);
  if (modules === undefined) {
    const message =
      'ConfigMap kubeedge/cloudcore has no cloudcore.yaml that can be read; look at the file where cloudcore runs';
    return [{ severity: 'note', title: "cloudcore's configuration can be read", message }];
  }
  const found = switches.map(({ path: [name], lost }): CloudFinding => {
    const title = `modules.${name}.enable`;
    if (modules[name]?.['enable'] === true) return { severity: 'ok', title, message: 'on' };
    return { severity: 'note', title, message: `off: without it there are no ${lost}` };
  });
  if (isEnforcing(modules)) found.push(enforcing(modules['dynamicController']?.['enable'] === true));
  const limit = modules['cloudHub']?.['nodeLimit'];
  if (typeof limit !== 'number') return found;
  const isNear = edgeNodes * 2 > limit;
  const counted = `${edgeNodes} edge nodes, limit ${limit}; the report of an agent takes a place of its own`;
  const message = isNear ? `${counted}: raise modules.cloudHub.nodeLimit` : counted;
  return [...found, { severity: isNear ? 'warning' : 'ok', title: 'node limit of cloudHub', message }];
}

/** Whether cloudcore enforces authorization, as far as its configuration can be read. */
export function enforcesAuthorization(configMap: KubeObject | undefined): boolean {
  return isEnforcing(modulesOf(configMap) ?? {});
}

/** cloudHub.authorization of 1.18 and later; with debug it only writes into the log. */
function isEnforcing(modules: Modules): boolean {
  const rules = modules['cloudHub']?.['authorization'] as { enable?: unknown; debug?: unknown } | undefined;
  return rules?.enable === true && rules.debug !== true;
}

function enforcing(hasOtherWay: boolean): CloudFinding {
  const title = 'modules.cloudHub.authorization.enable';
  const fact = 'on: while edgecore runs, nobody else is heard about its node';
  const message = hasOtherWay
    ? `${fact}; with metaServer at the edge the agent speaks through it`
    : `${fact}, so the agent's conditions are on the Node only while edgecore is down; dynamicController would let it speak through edgecore`;
  return { severity: 'note', title, message };
}

type Modules = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

function modulesOf(configMap: KubeObject | undefined): Modules | undefined {
  try {
    const text = configMap?.data?.['cloudcore.yaml'];
    const tree: unknown = text === undefined ? undefined : parse(text);
    return (tree as { modules?: Modules } | undefined)?.modules;
  } catch {
    return undefined;
  }
}

/** Checks which generation of Device objects the cluster serves. */
export function deviceFinding(versions: readonly string[]): CloudFinding {
  const title = 'Device objects are known';
  if (versions.length === 0) {
    const message = 'the cluster has no devices.kubeedge.io; install build/crds of your KubeEdge release';
    return { severity: 'error', title, message };
  }
  return { severity: 'ok', title, message: versions.join(', ') };
}

/** DaemonSets that have no place on an edge node: edgecore up to 1.18 ends when it sees kube-proxy. */
const unwanted = /kube-proxy|flannel|calico|cilium|weave|canal|kindnet|antrea/;
const edgeLabel = 'node-role.kubernetes.io/edge';

/** Checks that network DaemonSets of the cluster stay away from edge nodes. */
export function daemonSetFindings(
  sets: readonly KubeObject[],
  nodes: readonly KubeObject[],
): readonly CloudFinding[] {
  const edges = nodes.filter(isEdge);
  return sets
    .filter(({ metadata }) => unwanted.test(metadata.name))
    .map((set): CloudFinding => {
      const title = `DaemonSet ${set.metadata.name} stays away from edge nodes`;
      const hit = edges.filter((node) => reaches(set, node)).map(({ metadata }) => metadata.name);
      if (hit.length === 0) return { severity: 'ok', title, message: 'it does' };
      const message = `it would run on ${hit.join(', ')}; give it a node affinity ${edgeLabel} DoesNotExist`;
      return { severity: set.metadata.name.includes('kube-proxy') ? 'error' : 'warning', title, message };
    });
}

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface PodSpec {
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms?: readonly { readonly matchExpressions?: readonly Expression[] }[];
      };
    };
  };
}

function reaches(set: KubeObject, { metadata }: KubeObject): boolean {
  const spec = (set.spec?.['template'] as { spec?: PodSpec } | undefined)?.spec ?? {};
  const labels = metadata.labels ?? {};
  const isSelected = Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const isLiked =
    terms?.some((term) => (term.matchExpressions ?? []).every((one) => fits(one, labels))) ?? true;
  return isSelected && isLiked;
}

function fits({ key, operator, values = [] }: Expression, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[key];
  switch (operator) {
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    default:
      return true;
  }
}
