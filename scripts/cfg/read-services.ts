import type { Place, Report } from './findings.ts';
import { type JsonEntry, type JsonNode, member, printNode } from './json-text.ts';
import { definedJobs } from './read-jobs.ts';
import { readGid, readPath, readUid } from './read-service-identity.ts';
import { checkLists, checkSocketsAndFiles, readCaps, readEnv } from './read-service-lists.ts';
import {
  checkEndMode,
  checkOnrestart,
  readServiceJobs,
  readStartMode,
  type StartMode,
} from './read-service-modes.ts';
import { readBoolean, readCritical, readNumber, readSwitches } from './read-service-switches.ts';
import { isSince, type Release } from './release.ts';
import { adviseService } from './service-advice.ts';
import { findKey, isRead, nearestKey } from './service-keys.ts';
import { keyOf, placeOf, type ServiceReading } from './service-reading.ts';

/** What init makes of a service. */
export interface ServiceOutcome {
  readonly name: string;
  /**
   * `whole`; `cut` where init stopped reading at a wrong key and keeps what came before (4.1 to 6.1), without sockets,
   * files and SELinux domain; `absent` where the service is not there at all.
   */
  readonly state: 'whole' | 'cut' | 'absent';
  readonly argv: readonly string[];
  readonly uid: string | undefined;
  /** When it starts; a cut service that lost its start mode waits for `start`. */
  readonly startMode: StartMode;
  readonly jobs: Readonly<Record<string, string>>;
}

/** Reports what 3.2 and later make of a key: nothing, in silence, where they do not know it in this spelling. */
function checkKey(key: string, place: Place, { release, report }: ServiceReading): void {
  const known = findKey(key);
  if (known === undefined) {
    const nearest = nearestKey(key);
    report('key-unknown', place, nearest === undefined ? `"${key}"` : `"${key}", did you mean "${nearest}"`);
  } else if (known.name !== key) report(known.isExact ? 'key-case' : 'key-case-odd', place, `"${key}"`);
  else if (!isSince(release, known.since)) report('key-early', place, `"${key}" begins with ${known.since}`);
  else if (!isRead(known, release)) report('key-late', place, `"${key}" ended with ${known.until ?? ''}`);
}

/** Reports keys that this release ignores or refuses; false where 3.1 skips the service for one. */
function checkKeys(reading: ServiceReading, entries: readonly JsonEntry[]): boolean {
  const { at, release, report } = reading;
  let isAccepted = true;
  for (const { key, line } of entries) {
    const place = { line, path: `${at.path}.${key}` };
    if (release !== '3.1') {
      checkKey(key, place, reading);
      continue;
    }
    const known = findKey(key);
    if (known?.name === key && isRead(known, release)) continue;
    report('key-refused', place, `"${key}"`);
    isAccepted = false;
  }
  return isAccepted;
}

/** The name of a service; undefined where init skips the service for it. */
function readName({ node, at, release, report }: ServiceReading): string | undefined {
  const name = member(node, 'name');
  if (name?.value.kind !== 'string' || name.value.text === '') {
    report('name-missing', at, name === undefined ? 'there is no "name"' : `it is ${printNode(name.value)}`);
    return undefined;
  }
  const { text } = name.value;
  const place = { line: name.line, path: `${at.path}.name` };
  if (text.length > 31) report('name-long', place, `it has ${text.length} characters`);
  if (text.length > 32) report('name-longish', place, `it has ${text.length} characters`);
  if (/[^\w.@-]/.test(text)) report('name-odd', place, `"${text}"`);
  return text.length > 31 && release === '3.1' ? undefined : text;
}

/** init itself waits for input on /dev/console for the service of this name. */
function isConsole(node: JsonNode): boolean {
  const name = member(node, 'name')?.value;
  return name?.kind === 'string' && name.text === 'console';
}

function checkOndemand(reading: ServiceReading, isCritical: boolean): boolean {
  const value = readBoolean(reading, 'ondemand');
  const entry = keyOf(reading, 'ondemand');
  if (value !== true || entry === undefined) return value !== null;
  const place = placeOf(reading, entry);
  if (keyOf(reading, 'socket') === undefined && !isConsole(reading.node))
    reading.report('ondemand-socket', place, 'there is no "socket"');
  if (isCritical) reading.report('critical-ondemand', place, 'both are on');
  return !isCritical;
}

/** State that a parse failure leaves behind: openharmony/startup_init ParseAllServices of each release. */
function stateOf(isWhole: boolean, release: Release): ServiceOutcome['state'] {
  if (isWhole) return 'whole';
  return isSince(release, '4.1') && release !== '7.0' ? 'cut' : 'absent';
}

function readService(reading: ServiceReading, root: JsonNode): ServiceOutcome | undefined {
  if (reading.node.kind !== 'object') {
    reading.report('service-type', reading.at, `it is ${printNode(reading.node)}`);
    return undefined;
  }
  const name = readName(reading);
  const isAccepted = checkKeys(reading, reading.node.entries);
  const argv = readPath(reading);
  const uid = readUid(reading);
  const isRoot = uid === 'root';
  const hasGroups = readGid(reading);
  const hasSwitches = readSwitches(reading);
  const critical = readCritical(reading);
  checkLists(reading);
  const env = readEnv(reading);
  const hasPeriod = readNumber(reading, 'period', 'period-type') !== null;
  const hasSandbox = readNumber(reading, 'sandbox') !== null;
  const hasCaps = readCaps(reading, isRoot);
  const hasOndemand = checkOndemand(reading, critical.on);
  const hasSetuid = readBoolean(reading, 'setuid') !== null;
  const startMode = readStartMode(reading);
  checkEndMode(reading);
  const jobs = readServiceJobs(reading);
  const hasTail = [readBoolean(reading, 'cgroup'), readBoolean(reading, 'saspawn')].every(
    (value) => value !== null,
  );
  checkSocketsAndFiles(reading);
  checkOnrestart(reading);
  adviseService(reading, { argv: argv ?? [], isRoot, env: env ?? [], jobs }, root);
  if (name === undefined) return undefined;
  const reachesMode =
    [argv, uid].every((value) => value !== undefined) &&
    env !== null &&
    [hasGroups, hasSwitches, critical.isWhole, hasPeriod, hasSandbox, hasCaps, hasOndemand, hasSetuid].every(
      Boolean,
    );
  const state = isAccepted ? stateOf(reachesMode && hasTail, reading.release) : 'absent';
  return {
    name,
    state,
    argv: argv ?? [],
    uid,
    startMode: reachesMode ? startMode : 'condition',
    jobs: reachesMode ? Object.fromEntries(jobs) : {},
  };
}

/** What 3.2 and later keep of a service that a later entry names again: its user and jobs where that gives none. */
function mergeOutcomes(first: ServiceOutcome, second: ServiceOutcome, givesUid: boolean): ServiceOutcome {
  return { ...second, uid: givesUid ? second.uid : first.uid, jobs: { ...first.jobs, ...second.jobs } };
}

/** Reads the services of a file as a release of init does. */
export function readServices(root: JsonNode, release: Release, report: Report): readonly ServiceOutcome[] {
  const services = member(root, 'services', true);
  if (services?.value.kind !== 'array') return [];
  const { items } = services.value;
  if (items.length > 100) {
    report('services-many', { line: services.line, path: 'services' }, `there are ${items.length}`);
    if (!isSince(release, '4.0')) return [];
  }
  const jobs = definedJobs(root);
  const outcomes = new Map<string, ServiceOutcome>();
  for (const [index, node] of items.entries()) {
    const at = { line: node.line, path: `services[${index}]` };
    const outcome = readService({ node, at, release, report, jobs }, root);
    if (outcome === undefined) continue;
    const first = outcomes.get(outcome.name);
    if (first === undefined) {
      outcomes.set(outcome.name, outcome);
      continue;
    }
    report('name-twice', at, `"${outcome.name}" stands there before`);
    report('name-merged', at, `"${outcome.name}" stands there before`);
    if (release === '3.1') continue;
    outcomes.set(outcome.name, mergeOutcomes(first, outcome, member(node, 'uid') !== undefined));
  }
  return [...outcomes.values()];
}
