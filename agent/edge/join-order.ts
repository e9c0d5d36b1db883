import * as v from 'valibot';
import { type CloudAddress, parseCloudAddress } from './cloud-address.ts';
import { nodeNameProblem } from './node-name.ts';
import { parseRelease, type Release } from './release.ts';
import { parseToken, type Token } from './token.ts';
import type { Taint } from './wanted-values.ts';

const text = v.pipe(v.string(), v.trim(), v.maxLength(8192, 'is longer than 8192 characters'));
const label = v.pipe(v.string(), v.maxLength(63, 'has a value longer than 63 characters'));

/** What may be ordered, by the API and in a join file alike. Nothing else is taken. */
const shape = v.strictObject({
  cloudcore: v.optional(text),
  certPort: v.optional(v.number('is no number')),
  token: v.optional(text),
  caHash: v.optional(text),
  nodeName: v.optional(text),
  labels: v.optional(v.record(v.string(), label)),
  taints: v.optional(v.array(text)),
  runtime: v.optional(v.picklist(['auto', 'docker', 'cri'], 'want auto, docker or cri')),
  criEndpoint: v.optional(text),
  cgroupDriver: v.optional(v.picklist(['cgroupfs', 'systemd'], 'want cgroupfs or systemd')),
  pauseImage: v.optional(text),
  kubeedge: v.optional(text),
  mqtt: v.optional(v.picklist(['internal', 'both', 'external'], 'want internal, both or external')),
  mqttServer: v.optional(text),
  edgeStream: v.optional(v.boolean('want true or false')),
  metaServer: v.optional(v.boolean('want true or false')),
  serviceBus: v.optional(v.boolean('want true or false')),
  takeName: v.optional(v.boolean('want true or false')),
  dryRun: v.optional(v.boolean('want true or false')),
});

/** An order as it may be sent; `token` is a secret until it is parsed. */
export type RawOrder = v.InferOutput<typeof shape>;

/** A checked order to join. Fields that were not given are undefined. */
export interface JoinOrder
  extends Omit<RawOrder, 'cloudcore' | 'certPort' | 'token' | 'taints' | 'kubeedge'> {
  readonly cloud: CloudAddress | undefined;
  readonly token: Token | undefined;
  readonly taints: readonly Taint[] | undefined;
  readonly release: Release | undefined;
}

/** One thing that is wrong with an order: where, and in one clause what. Never quotes a token. */
export interface OrderProblem {
  readonly field: string;
  readonly problem: string;
}

/** A checked order, or all its problems at once. */
export type OrderResult =
  | { readonly ok: true; readonly order: JoinOrder }
  | { readonly ok: false; readonly problems: readonly OrderProblem[] };

/** Checks an order from outside. Whether something is missing depends on what was joined before, so that is no problem here. */
export function parseJoinOrder(value: unknown): OrderResult {
  const parsed = v.safeParse(shape, value);
  if (!parsed.success) {
    const problems = parsed.issues.map((issue) => ({
      field: v.getDotPath(issue) ?? 'order',
      problem: wordsOf(issue),
    }));
    return { ok: false, problems };
  }
  return checkOrder(parsed.output);
}

/** What became of one field: its value, or what is wrong with it. Both are undefined where it was not given. */
interface Field<T> {
  readonly value?: T;
  readonly problem?: string;
}

function field<I, T>(given: I | undefined, parse: (given: I) => Field<T>): Field<T> {
  return given === undefined ? {} : parse(given);
}

function checkOrder(raw: RawOrder): OrderResult {
  const { cloudcore, certPort, token, taints, kubeedge, ...plain } = raw;
  const fields = {
    cloudcore: field(cloudcore, (given): Field<CloudAddress> => {
      const result = parseCloudAddress(given, certPort);
      return result.ok ? { value: result.address } : { problem: result.problem };
    }),
    token: field(token, (given): Field<Token> => {
      const result = parseToken(given);
      return result.ok ? { value: result.token } : { problem: result.problem };
    }),
    nodeName: field(raw.nodeName, (given): Field<string> => problemOnly(nodeNameProblem(given))),
    kubeedge: field(kubeedge, (given): Field<Release> => {
      const release = parseRelease(given, 'operator');
      return release === undefined
        ? { problem: 'is no KubeEdge release such as v1.22.1' }
        : { value: release };
    }),
    taints: field(taints, (given): Field<readonly Taint[]> => {
      const parsed = given.map(parseTaint).filter((taint) => taint !== undefined);
      return parsed.length === given.length ? { value: parsed } : { problem: taintShape };
    }),
  };
  const problems = [...problemsOf(fields), ...problemsOf(plainProblems(raw))];
  if (problems.length > 0) return { ok: false, problems };
  const order: JoinOrder = {
    ...plain,
    cloud: fields.cloudcore.value,
    token: fields.token.value,
    taints: fields.taints.value,
    release: fields.kubeedge.value,
  };
  return { ok: true, order };
}

function problemsOf(fields: Readonly<Record<string, Field<unknown>>>): readonly OrderProblem[] {
  return Object.entries(fields).flatMap(([name, { problem }]) =>
    problem === undefined ? [] : [{ field: name, problem }],
  );
}

function problemOnly(problem: string | undefined): { readonly problem?: string } {
  return problem === undefined ? {} : { problem };
}

const taintShape = 'want KEY[=VALUE]:NoSchedule, PreferNoSchedule or NoExecute';
const labelName = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

function plainProblems(raw: RawOrder): Readonly<Record<string, Field<never>>> {
  const isLabel = ([name, value]: readonly [string, string]): boolean =>
    labelName.test(name) && labelValue.test(value);
  const wrong = Object.entries(raw.labels ?? {}).find((entry) => !isLabel(entry));
  const labels =
    wrong === undefined ? undefined : `has "${wrong[0]}=${wrong[1]}", which is no Kubernetes label`;
  return {
    labels: problemOnly(labels),
    caHash: unless(raw.caHash, /^(sha256:)?[0-9a-fA-F]{64}$/, 'is no SHA-256 in 64 hex digits'),
    criEndpoint: unless(
      raw.criEndpoint,
      /^unix:\/\/\/\S+$/,
      'is no endpoint such as unix:///run/containerd/containerd.sock',
    ),
    mqttServer: unless(
      raw.mqttServer,
      /^(tcp|ssl|tls):\/\/[^\s/@]+:\d{1,5}$/,
      'is no broker such as tcp://127.0.0.1:1883',
    ),
    pauseImage: unless(raw.pauseImage, /^[\w][\w./:@-]{0,254}$/, 'is no image name'),
  };
}

function unless(value: string | undefined, pattern: RegExp, problem: string): Field<never> {
  return value === undefined || pattern.test(value) ? {} : { problem };
}

function parseTaint(written: string): Taint | undefined {
  const match = /^([^=:\s]+)(?:=([^:\s]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(written);
  if (match === null) return undefined;
  const [, key = '', value, effect] = match;
  if (!labelName.test(key) || !labelValue.test(value ?? '')) return undefined;
  return {
    key,
    ...(value === undefined || value === '' ? {} : { value }),
    effect: effect as Taint['effect'],
  };
}

/** valibot quotes what it received; a token must not come back that way. */
function wordsOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object') return issue.expected === 'never' ? 'is not known' : 'is no mapping';
  if (issue.type === 'string') return 'is no text';
  return issue.message.startsWith('Invalid')
    ? `is not what is wanted (${issue.expected ?? 'something else'})`
    : issue.message;
}
