import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { AgentError } from '../../agent/core/agent-error.ts';
import type { CloudProbe } from '../../agent/core/cloud-probe.ts';
import { parseCloudAddress } from '../../agent/edge/cloud-address.ts';
import type { Finish } from '../terminal/program.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { accountFindings } from './account-findings.ts';
import {
  addressFindings,
  type CloudFinding,
  configFindings,
  daemonSetFindings,
  deviceFinding,
  enforcesAuthorization,
  tokenFindings,
} from './cloud-findings.ts';
import type { Kube } from './kube.ts';
import { deviceGroup } from './manifests.ts';
import { isEdge } from './node-view.ts';
import {
  type CloudPorts,
  type ClusterOptions,
  type KubeOptions,
  portOf,
  secondsOf,
  withCluster,
  withKube,
} from './options.ts';
import { type SmokeStep, smokeNode } from './smoke.ts';

/** Adds `smoke`: one node tried from end to end. */
export function addSmoke(program: Command, ports: CloudPorts, finish: Finish): void {
  withKube(program.command('smoke'), 'namespace of pod and Service')
    .summary('try a node from end to end: Ready, pod, Service, Running, logs, delete')
    .argument('<node>', 'the node')
    .option('--image <name>', 'image with /bin/sh, on the board or in a registry', 'busybox:1.36')
    .option('--network <which>', 'host, pod or both', 'both')
    .option('--timeout <seconds>', 'longest wait for each step', '180')
    .option('--json', 'print the result for programs')
    .action(async (node: string, options: SmokeArguments) => {
      const kube = await ports.openKube(options.kubeconfig, options.context);
      const nonce = randomUUID().slice(0, 8);
      const base = { node, namespace: options.namespace, image: options.image, nonce };
      const wishes = networks(options.network).map((isHostNetwork) => ({ ...base, isHostNetwork }));
      const steps = await smokeNode(wishes, secondsOf(options.timeout) * 1000, {
        kube,
        nowMs: ports.nowMs,
        sleep: ports.sleep,
        signal: ports.untilInterrupted(),
      });
      if (options.json === true) ports.terminal.out(JSON.stringify({ node, steps }, null, 2));
      else for (const step of steps) ports.terminal.out(stepLine(step, ports.terminal));
      finish(steps.some(({ result }) => result === 'failed') ? 1 : 0);
    });
}

interface SmokeArguments extends KubeOptions {
  readonly json?: true;
  readonly image: string;
  readonly network: string;
  readonly timeout: string;
}

/** Adds `doctor`: the cloud half looked at. */
export function addDoctor(program: Command, ports: CloudPorts, finish: Finish): void {
  withCluster(program.command('doctor'))
    .summary('look at the cloud half: address, certificate, token, switches, rights, CRDs, DaemonSets')
    .option('--address <host>', 'HOST[:PORT] of cloudcore as the boards use it')
    .option('--cert-port <number>', 'port for certificates', '10002')
    .option('--json', 'print the result for programs')
    .action(async (options: DoctorArguments) => {
      const kube = await ports.openKube(options.kubeconfig, options.context);
      const findings = await examine(kube, ports, options);
      if (options.json === true) ports.terminal.out(JSON.stringify(findings, null, 2));
      else for (const finding of findings) ports.terminal.out(findingLine(finding, ports.terminal));
      finish(findings.some(({ severity }) => severity === 'error') ? 1 : 0);
    });
}

interface DoctorArguments extends ClusterOptions {
  readonly address?: string;
  readonly certPort: string;
  readonly json?: true;
}

async function examine(
  kube: Kube,
  { cloud, nowMs }: CloudPorts,
  { address, certPort }: DoctorArguments,
): Promise<readonly CloudFinding[]> {
  const named = (kind: string, name: string): Parameters<Kube['read']>[0] => ({
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace: 'kubeedge' },
  });
  const seen = address === undefined ? undefined : await lookAt(cloud, address, portOf(certPort));
  const [secret, configMap, nodes, sets, versions] = await Promise.all([
    kube.read(named('Secret', 'tokensecret')),
    kube.read(named('ConfigMap', 'cloudcore')),
    kube.list('v1', 'Node'),
    kube.list('apps/v1', 'DaemonSet'),
    kube.versions(deviceGroup),
  ]);
  return [
    ...(seen === undefined ? [noAddress] : addressFindings(seen)),
    ...tokenFindings(secret, seen?.enrolment, nowMs()),
    ...configFindings(configMap, nodes.filter(isEdge).length),
    ...(await accountFindings(kube, enforcesAuthorization(configMap))),
    deviceFinding(versions),
    ...daemonSetFindings(sets, nodes),
  ];
}

const noAddress: CloudFinding = {
  severity: 'note',
  title: 'the address that boards use',
  message: 'was not looked at; name it with --address HOST',
};

async function lookAt(
  cloud: CloudProbe,
  text: string,
  certPort: number,
): Promise<Parameters<typeof addressFindings>[0]> {
  const result = parseCloudAddress(text, certPort);
  if (!result.ok) throw new AgentError('USAGE', `Cannot use --address "${text}": it ${result.problem}`);
  const { host, hubPort, enrolPort } = result.address;
  const signal = AbortSignal.timeout(10_000);
  const [hub, enrolment] = await Promise.all([
    cloud.reach({ host, port: hubPort }, signal),
    cloud.enrolment({ host, port: enrolPort }, signal),
  ]);
  return { host, hub, enrolment };
}

function networks(which: string): readonly boolean[] {
  if (which === 'both') return [true, false];
  if (which === 'host' || which === 'pod') return [which === 'host'];
  throw new AgentError('USAGE', `Cannot use --network "${which}": want host, pod or both`);
}

function stepLine({ name, result, durationMs, said }: SmokeStep, { style }: Terminal): string {
  const paint = { ok: style.green, warning: style.yellow, failed: style.red }[result];
  return `${paint(result.padEnd(8))} ${name} (${(durationMs / 1000).toFixed(1)} s): ${said}`;
}

function findingLine({ severity, title, message }: CloudFinding, { style }: Terminal): string {
  const paint = { ok: style.green, note: style.cyan, warning: style.yellow, error: style.red }[severity];
  return `${paint(severity.padEnd(8))} ${title}: ${message}`;
}
