import { commandsOf } from './command-table.ts';
import type { Place } from './findings.ts';
import { printNode } from './json-text.ts';
import { readCommand } from './read-command.ts';
import { isSince } from './release.ts';
import { itemPlace, keyOf, placeOf, type ServiceReading } from './service-reading.ts';

const startModes = ['boot', 'normal', 'condition'] as const;
const endModes = ['pre-fork', 'after-fork', 'after-exec', 'ready'] as const;

export type StartMode = (typeof startModes)[number];

/** The start mode that init takes, `normal` where the word is unknown. */
export function readStartMode(reading: ServiceReading): StartMode {
  const entry = keyOf(reading, 'start-mode');
  if (entry === undefined) return 'normal';
  const { value } = entry;
  const mode = startModes.find((known) => value.kind === 'string' && known === value.text);
  if (mode === undefined) {
    reading.report('mode-unknown', placeOf(reading, entry), `it is ${printNode(value)}, taken as "normal"`);
  }
  return mode ?? 'normal';
}

/** Reports an end mode that init would take as `after-exec`. */
export function checkEndMode(reading: ServiceReading): void {
  const entry = keyOf(reading, 'end-mode');
  if (entry === undefined) return;
  const { value } = entry;
  if (value.kind === 'string' && (endModes as readonly string[]).includes(value.text)) return;
  reading.report('mode-unknown', placeOf(reading, entry), `it is ${printNode(value)}, taken as "after-exec"`);
}

const jobTypes: readonly string[] = ['on-boot', 'pre-start', 'on-start', 'on-stop', 'on-restart'];

/** The jobs of a service by the moment that runs them. */
export function readServiceJobs(reading: ServiceReading): ReadonlyMap<string, string> {
  const { report, release, jobs: defined } = reading;
  const entry = keyOf(reading, 'jobs');
  const jobs = new Map<string, string>();
  if (entry === undefined) return jobs;
  const place = placeOf(reading, entry);
  if (entry.value.kind !== 'object') {
    report('jobs-type', place, `it is ${printNode(entry.value)}`);
    return jobs;
  }
  for (const { key, value, line } of entry.value.entries) {
    const at = { line, path: `${place.path}.${key}` };
    const type = key.toLowerCase();
    if (!jobTypes.includes(type) || value.kind !== 'string') {
      report(
        'jobs-key',
        at,
        jobTypes.includes(type) ? `it is ${printNode(value)}` : `no moment is called "${key}"`,
      );
      continue;
    }
    if (type === 'pre-start' && !isSince(release, '5.0.0')) {
      report('jobs-early', at, 'pre-start');
      continue;
    }
    jobs.set(type, value.text);
    if (!defined.has(value.text)) report('jobs-undefined', at, `no job "${value.text}"`);
  }
  return jobs;
}

/**
 * Checks the room and the lead of an `onrestart` line. init cuts the length of the command's name off the untrimmed
 * line, so one space in front only takes the place of the one behind the name; more shift the line.
 */
function checkCopy(text: string, place: Place, { report, release }: ServiceReading): void {
  const line = text.trimStart();
  const [name = ''] = line.split(' ');
  const command = commandsOf(release).get(name);
  const lead = text.length - line.length;
  if (lead > (command?.needsSpace === true ? 1 : 0)) report('onrestart-lead', place, `"${text}"`);
  const rest = text.length - name.length - (command?.needsSpace === true ? 1 : 0);
  if (rest > 255) report('onrestart-long', place, `there are ${rest} characters behind "${name}"`);
}

/** Checks the commands of `onrestart`, which init copies into a fixed room. */
export function checkOnrestart(reading: ServiceReading): void {
  const { report, release } = reading;
  const entry = keyOf(reading, 'onrestart');
  if (entry === undefined) return;
  const place = placeOf(reading, entry);
  report('onrestart-once', place, 'it has commands');
  if (entry.value.kind !== 'array') {
    report('list-type', place, `it is ${printNode(entry.value)}`);
    return;
  }
  for (const [index, item] of entry.value.items.entries()) {
    const at = itemPlace(place, index, item);
    if (item.kind !== 'string') {
      report('cmd-type', at, `it is ${printNode(item)}`);
      continue;
    }
    checkCopy(item.text, at, reading);
    readCommand(item.text, { release, place: at, report });
  }
}
