import type { JsonNode } from './json-text.ts';
import { member, printNode } from './json-text.ts';
import { isSince } from './release.ts';
import { keyOf, placeOf, type ServiceReading } from './service-reading.ts';

/** What the traps depend on. */
export interface ServiceFacts {
  readonly argv: readonly string[];
  readonly isRoot: boolean;
  readonly env: readonly string[];
  readonly jobs: ReadonlyMap<string, string>;
}

const containerWords = /docker|containerd|podman|cri-o|crio|runc|kubelet|edgecore|oh-edge-agent/;
const containerPrograms = /\/(?:dockerd|containerd|edgecore|kubelet|podman|crio)$/;

function checkSecon(reading: ServiceReading): void {
  const { report, at } = reading;
  const entry = keyOf(reading, 'secon');
  if (entry?.value.kind !== 'string' || entry.value.text === '') {
    report('secon-missing', at, 'there is no "secon"');
    return;
  }
  const { text } = entry.value;
  if (!/^u:r:\w+:s0$/.test(text))
    report('secon-form', placeOf(reading, entry), `it is ${printNode(entry.value)}`);
  if (text === 'u:r:su:s0') report('secon-su', placeOf(reading, entry), 'it is u:r:su:s0');
}

function isSwitchedOff(reading: ServiceReading): boolean {
  const sandbox = keyOf(reading, 'sandbox')?.value;
  return sandbox?.kind === 'number' && Math.trunc(sandbox.value) === 0;
}

function checkSandbox(reading: ServiceReading, facts: ServiceFacts, isContainer: boolean): void {
  const [program = ''] = facts.argv;
  if (!/^\/(?:system|vendor)\/bin\//.test(program) || isSwitchedOff(reading)) return;
  if (isContainer) reading.report('sandbox-shared', reading.at, `"${program}" starts in it`);
  else if (facts.isRoot) reading.report('sandbox-note', reading.at, `"${program}" starts in it`);
}

function checkSetuid(reading: ServiceReading, facts: ServiceFacts, isContainer: boolean): void {
  const setuid = keyOf(reading, 'setuid')?.value;
  if (setuid?.kind === 'boolean' && setuid.value) return;
  if (isContainer) reading.report('setuid-lock', reading.at, 'there is no "setuid": true');
  else if (facts.isRoot) reading.report('setuid-note', reading.at, 'there is no "setuid": true');
}

function checkContainer(reading: ServiceReading, facts: ServiceFacts): void {
  const { report, at } = reading;
  const [program = ''] = facts.argv;
  if (!facts.jobs.has('on-stop')) report('stop-kill', at, 'there is no on-stop job');
  if (containerPrograms.test(program) && !facts.env.includes('PATH'))
    report('path-env', at, `"${program}" gets no PATH`);
  const cgroup = keyOf(reading, 'cgroup');
  if (cgroup?.value.kind === 'boolean' && cgroup.value.value) {
    report('cgroup-kill', placeOf(reading, cgroup), 'it is true');
  }
}

function commandsOfJob(root: JsonNode, name: string): readonly string[] {
  const jobs = member(root, 'jobs', true)?.value;
  if (jobs?.kind !== 'array') return [];
  return jobs.items.flatMap((job) => {
    const own = member(job, 'name')?.value;
    const cmds = member(job, 'cmds')?.value;
    if (own?.kind !== 'string' || own.text !== name || cmds?.kind !== 'array') return [];
    return cmds.items.flatMap((item) => (item.kind === 'string' ? [item.text.trimStart()] : []));
  });
}

function checkMoments(reading: ServiceReading, facts: ServiceFacts, root: JsonNode): void {
  const { report, at } = reading;
  const onStart = facts.jobs.get('on-start');
  for (const line of onStart === undefined ? [] : commandsOfJob(root, onStart)) {
    if (line.startsWith('start ')) report('onstart-start', at, `job "${onStart}" has "${line}"`);
  }
  const preStart = facts.jobs.get('pre-start');
  for (const line of preStart === undefined ? [] : commandsOfJob(root, preStart)) {
    if (line.startsWith('syncexec ')) report('prestart-sync', at, `job "${preStart}" has "${line}"`);
  }
}

/** Reports what init does to a service without being asked: domain, mount sandbox, capability lock, kill. */
export function adviseService(reading: ServiceReading, facts: ServiceFacts, root: JsonNode): void {
  const isContainer = facts.isRoot && containerWords.test(facts.argv.join(' '));
  if (isSince(reading.release, '3.2')) checkSecon(reading);
  checkSandbox(reading, facts, isContainer);
  checkSetuid(reading, facts, isContainer);
  if (isContainer) checkContainer(reading, facts);
  checkMoments(reading, facts, root);
}
