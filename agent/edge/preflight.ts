import type { EnrolmentAnswer, Unreachable } from '../core/cloud-probe.ts';
import type { Fault } from '../core/unit-spec.ts';
import { readCertificate } from './certificate.ts';
import { authorityHash, cloudProblems, joinError as error, pemHash } from './cloud-checks.ts';
import { cniPlugins } from './cni.ts';
import { factsOf } from './compatibility.ts';
import type { JoinOrder } from './join-order.ts';
import type { NodeRecord } from './node-record.ts';
import { isKnownRelease, knownMinors } from './release.ts';
import type { EdgecoreProgram } from './release-finder.ts';
import type { EdgeSettings } from './wanted-values.ts';

/** Something that stands in the way of joining, or that will be missed later. */
export interface JoinProblem {
  /** An error stops the join before anything is changed; a warning does not. */
  readonly severity: 'error' | 'warning';
  /** PascalCase word for programs. */
  readonly reason: string;
  /** Sentence that ends with the fix. Never a secret. */
  readonly message: string;
}

/** What was seen before a join, all of it without changing anything. */
export interface JoinFacts {
  /** Wall clock in milliseconds. */
  readonly nowMs: number;
  readonly program: EdgecoreProgram | { readonly ok: false; readonly fault: Fault };
  readonly record: NodeRecord | undefined;
  readonly hub: { readonly ok: true } | Unreachable;
  readonly enrolment: EnrolmentAnswer | Unreachable;
  /** Whether the cluster has a node of this name; undefined where the cloud does not say. */
  readonly nodeExists: boolean | undefined;
  /** Ports of 127.0.0.1 that edgecore needs and that somebody else holds. */
  readonly busyPorts: readonly number[];
  readonly certificate: { readonly certPem: string; readonly caPem: string } | undefined;
  /** Files in the plugin directories and in the directory of networks. */
  readonly cni: { readonly plugins: readonly string[]; readonly networks: readonly string[] };
  readonly hasDockerd: boolean;
}

/** Checks an order against what was seen; returns every problem at once. */
export function preflight(
  facts: JoinFacts,
  order: JoinOrder,
  settings: EdgeSettings,
): readonly JoinProblem[] {
  return [
    ...programProblems(facts),
    ...cloudProblems(facts, order, settings),
    ...tokenProblems(facts, order, settings),
    ...nameProblems(facts, order, settings),
    ...localProblems(facts, settings),
  ];
}

/** Reports whether enrolment is needed: no certificate yet, or none that would still be taken. */
export function needsToken(facts: JoinFacts, settings: EdgeSettings): boolean {
  const { certificate, enrolment, program, nowMs } = facts;
  if (certificate === undefined || !program.ok) return true;
  const own = readCertificate(certificate.certPem, certificate.caPem);
  if (own === undefined || own.isSigned !== true || own.notAfterMs < nowMs) return true;
  if (program.release.minor >= 21 && own.commonName !== `system:node:${settings.node}`) return true;
  return enrolment.ok && pemHash(certificate.caPem) !== authorityHash(enrolment.authorityDer);
}

/** Reports whether another address has another authority, too: pods of the cluster before must not live on in this one. */
export function isOtherCluster(
  { certificate, enrolment, record }: JoinFacts,
  { cloud }: EdgeSettings,
): boolean {
  if (certificate === undefined || !enrolment.ok || record === undefined) return false;
  const isElsewhere = record.cloud.host !== cloud.host;
  return isElsewhere && pemHash(certificate.caPem) !== authorityHash(enrolment.authorityDer);
}

function programProblems({ program }: JoinFacts): readonly JoinProblem[] {
  if (!program.ok) return [error(program.fault.reason, program.fault.message)];
  const { release } = program;
  if (!isKnownRelease(release)) {
    const range = `1.${knownMinors.first} to 1.${knownMinors.last}`;
    const message = `KubeEdge ${release.text} is outside of what this agent knows (${range}); it is treated like the nearest one`;
    return [{ severity: 'warning', reason: 'ReleaseUnknown', message }];
  }
  if (release.minor < 21 || release.patch !== undefined) return [];
  const message = `The exact release of edgecore (${release.text}.?) could not be told, so edgecore will rewrite edgecore.yaml at its start; name it with --kubeedge`;
  return [{ severity: 'warning', reason: 'ReleaseInexact', message }];
}

function tokenProblems(facts: JoinFacts, order: JoinOrder, settings: EdgeSettings): readonly JoinProblem[] {
  if (order.token === undefined) {
    if (!needsToken(facts, settings)) return [];
    return [
      error(
        'TokenMissing',
        'A token is needed to get a certificate; give --token-file FILE (`keadm gettoken`, or `npm run cloud -- token`)',
      ),
    ];
  }
  const nowMs = (facts.enrolment.ok ? facts.enrolment.dateMs : undefined) ?? facts.nowMs;
  const { expiresAtMs } = order.token;
  if (expiresAtMs === undefined || expiresAtMs > nowMs) return [];
  const hours = Math.max(1, Math.round((nowMs - expiresAtMs) / 3_600_000));
  return [
    error(
      'TokenExpired',
      `The token ended ${hours} h ago; get a fresh one (\`keadm gettoken\`, or \`npm run cloud -- token\`)`,
    ),
  ];
}

function nameProblems(
  { nodeExists, record }: JoinFacts,
  order: JoinOrder,
  { node }: EdgeSettings,
): readonly JoinProblem[] {
  if (nodeExists !== true || record?.node === node || order.takeName === true) return [];
  return [
    error(
      'NodeNameTaken',
      `The cluster has a node "${node}" already; choose another name, delete that node, or take it over with --take-name`,
    ),
  ];
}

const portUses: Readonly<Record<number, string>> = {
  10350: "edgecore's health port",
  1884: 'the MQTT broker of edgecore; stop that program, or use --mqtt external',
  10550: "edgecore's own kube-API",
};

function localProblems(facts: JoinFacts, settings: EdgeSettings): readonly JoinProblem[] {
  const ports = facts.busyPorts.map((port) =>
    error('PortBusy', `Port ${port} of 127.0.0.1 is taken; it is for ${portUses[port] ?? 'edgecore'}`),
  );
  const ownsRuntime = settings.runtime.endpoint.includes('docker');
  const runtime = ownsRuntime && !facts.hasDockerd;
  return [
    ...ports,
    ...(runtime
      ? [
          error(
            'RuntimeMissing',
            'dockerd is switched off (dockerd.enabled) and edgecore would use it; switch it on, or give --cri-endpoint',
          ),
        ]
      : []),
    ...cniProblems(facts, settings),
    ...criProblems(facts, settings),
  ];
}

function cniProblems({ cni }: JoinFacts, { runtime }: EdgeSettings): readonly JoinProblem[] {
  if (runtime.kind === 'docker') return [];
  const missing = cniPlugins.filter((name) => !cni.plugins.includes(name));
  if (missing.length === 0) return [];
  return [
    error(
      'CniPluginsMissing',
      `The CNI plugins ${missing.join(', ')} are neither in /opt/cni/bin nor among the parts; without them the node never becomes Ready: put them into the image`,
    ),
  ];
}

function criProblems(
  { program }: JoinFacts,
  { runtime, cgroupDriver }: EdgeSettings,
): readonly JoinProblem[] {
  const warnings: JoinProblem[] = [];
  if (cgroupDriver === 'systemd') {
    const message =
      'cgroup driver systemd needs systemd as init, which OpenHarmony does not have; dockerd uses cgroupfs';
    warnings.push({ severity: 'warning', reason: 'CgroupDriverUnusual', message });
  }
  if (program.ok && runtime.kind === 'cri' && factsOf(program.release.minor).cri === 'v1') {
    const message = `KubeEdge ${program.release.text} needs a containerd of 1.6 or later`;
    if (!runtime.endpoint.includes('containerd'))
      warnings.push({ severity: 'warning', reason: 'RuntimeUnknown', message });
  }
  return warnings;
}
