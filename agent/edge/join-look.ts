import type { Clock } from '../core/clock.ts';
import type { CloudProbe, EnrolmentAnswer, Unreachable } from '../core/cloud-probe.ts';
import type { Files } from '../core/files.ts';
import type { LocalNet } from '../core/local-net.ts';
import { within } from '../core/within.ts';
import { cniPlugins } from './cni.ts';
import type { EdgePlaces } from './edge-places.ts';
import type { NodeRecord } from './node-record.ts';
import type { JoinFacts } from './preflight.ts';
import { type Tree, valueAt } from './tree.ts';
import type { EdgeSettings } from './wanted-values.ts';

/** What is looked with; nothing is changed. */
export interface LookPorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly net: LocalNet;
  readonly cloud: CloudProbe;
  readonly places: EdgePlaces;
}

/** What is known already. */
export interface Known {
  readonly program: JoinFacts['program'];
  readonly record: NodeRecord | undefined;
  readonly settings: EdgeSettings;
  readonly hasDockerd: boolean;
  /** Ports that must be free; none where our own edgecore runs and holds them itself. */
  readonly ports: readonly number[];
}

/** How long each question to the cloud may take, in milliseconds. */
const askMs = 8_000;

/** Sees everything that a join depends on, all questions at once. */
export async function lookBeforeJoin(
  known: Known,
  ports: LookPorts,
  signal: AbortSignal,
): Promise<JoinFacts> {
  const { clock, cloud } = ports;
  const { program, record, settings, hasDockerd } = known;
  const { host, hubPort, enrolPort } = settings.cloud;
  const bounded = <T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> => inTime(clock, ask, signal);
  const [hub, enrolment, nodeExists, busyPorts, certificate, cni] = await Promise.all([
    bounded((until) => cloud.reach({ host, port: hubPort }, until)),
    bounded(
      (until): Promise<EnrolmentAnswer | Unreachable> => cloud.enrolment({ host, port: enrolPort }, until),
    ),
    bounded((until) => cloud.hasNode({ host, port: enrolPort }, settings.node, until)),
    busyOf(known.ports, ports.net),
    readCertificates(ports.files, ports.places),
    lookAtCni(ports.files, ports.places),
  ]);
  signal.throwIfAborted();
  const nowMs = clock.wallMs();
  return { nowMs, program, record, hub, enrolment, nodeExists, busyPorts, certificate, cni, hasDockerd };
}

/** The node's certificate and its authority, where both are there. */
export async function readCertificates(files: Files, places: EdgePlaces): Promise<JoinFacts['certificate']> {
  const read = (path: string): Promise<string | undefined> => files.read(path).catch(() => undefined);
  const [certPem, keyPem, caPem] = await Promise.all(
    [places.certFile, places.keyFile, places.caFile].map(read),
  );
  if (certPem === undefined || keyPem === undefined || caPem === undefined) return undefined;
  return { certPem, caPem };
}

async function lookAtCni(files: Files, places: EdgePlaces): Promise<JoinFacts['cni']> {
  const list = (path: string): Promise<readonly string[]> => files.list(path).catch(() => []);
  const [installed, delivered, networks] = await Promise.all(
    [places.cniBinDir, places.cniSourceDir, places.cniConfDir].map(list),
  );
  const plugins = [...(installed ?? []), ...(delivered ?? [])].filter((name) => isPlugin(name));
  return { plugins, networks: networks ?? [] };
}

function isPlugin(name: string): boolean {
  return (cniPlugins as readonly string[]).includes(name);
}

async function busyOf(needed: readonly number[], net: LocalNet): Promise<readonly number[]> {
  const free = await Promise.all(needed.map((port) => net.isPortFree(port)));
  return needed.filter((_, index) => free[index] !== true);
}

/** Ports of 127.0.0.1 that an edgecore with this configuration listens on. */
export function portsOf(tree: Tree): readonly number[] {
  const at = (...path: readonly string[]): unknown => valueAt(tree, ['modules', ...path]);
  const portIn = (value: unknown, otherwise: number): number =>
    Number(/:(\d{1,5})$/.exec(typeof value === 'string' ? value : '')?.[1] ?? otherwise);
  const health = at('edged', 'tailoredKubeletConfig', 'readOnlyPort');
  const hasBroker = at('eventBus', 'enable') !== false && at('eventBus', 'mqttMode') !== 2;
  const hasMetaServer = at('metaManager', 'metaServer', 'enable') === true;
  return [
    ...(at('edged', 'enable') === false ? [] : [typeof health === 'number' && health > 0 ? health : 10_350]),
    ...(hasBroker ? [portIn(at('eventBus', 'mqttServerInternal'), 1_884)] : []),
    ...(hasMetaServer ? [portIn(at('metaManager', 'metaServer', 'server'), 10_550)] : []),
  ];
}

/** Runs one question with a deadline by the clock port, so that tests need not wait for it. */
export function inTime<T>(
  clock: Clock,
  ask: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  return within(clock, askMs, ask, {
    signal,
    reason: () => new DOMException('It took too long', 'TimeoutError'),
  });
}
