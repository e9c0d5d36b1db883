import type { Place, Report } from './findings.ts';
import { type JsonNode, member, printNode } from './json-text.ts';
import { type CommandOutcome, readCommand } from './read-command.ts';
import { checkCondition } from './read-condition.ts';
import { isSince, type Release } from './release.ts';

/** What init makes of a job. */
export interface JobOutcome {
  readonly name: string;
  /** What fires it: a boot stage, a parameter, the start of a service's boot, or only its name. */
  readonly trigger: 'stage' | 'param' | 'boot-service' | 'name';
  readonly condition: string | undefined;
  readonly commands: readonly CommandOutcome[];
}

/** Boot stages: GetTriggerType in services/param/trigger/trigger_processor.c, the same in every release. */
const stages: readonly string[] =
  'pre-init boot early-init init late-init post-init fs early-fs post-fs late-fs early-boot post-fs-data reboot suspend'.split(
    ' ',
  );

/** What the jobs of a file are read with. */
export interface JobReading {
  readonly release: Release;
  readonly report: Report;
  /** Job names that the file's services and `trigger` commands use. */
  readonly usedNames: ReadonlySet<string>;
}

function triggerOf(name: string, release: Release): JobOutcome['trigger'] {
  if (name.startsWith('param:')) return 'param';
  if (name.startsWith('boot-service:') && isSince(release, '3.2')) return 'boot-service';
  return stages.includes(name) ? 'stage' : 'name';
}

function readCommands(job: JsonNode, at: Place, { release, report }: JobReading): readonly CommandOutcome[] {
  const cmds = member(job, 'cmds');
  if (cmds?.value.kind !== 'array' || cmds.value.items.length === 0) {
    report('job-empty', at, cmds === undefined ? 'there is no "cmds"' : `"cmds" is ${printNode(cmds.value)}`);
    return [];
  }
  const outcomes: CommandOutcome[] = [];
  for (const [index, item] of cmds.value.items.entries()) {
    const place = { line: item.line, path: `${at.path}.cmds[${index}]` };
    if (item.kind !== 'string') {
      report('cmd-type', place, `it is ${printNode(item)}`);
      continue;
    }
    const outcome = readCommand(item.text, { release, place, report });
    if (outcome !== undefined) outcomes.push(outcome);
  }
  return outcomes;
}

/** The condition of a job as init takes it: none, kept, or broken, which costs the job. */
type Condition = { readonly text: string | undefined; readonly isBroken: boolean };

function readCondition(job: JsonNode, trigger: JobOutcome['trigger'], at: Place, report: Report): Condition {
  const none = { text: undefined, isBroken: false };
  const condition = member(job, 'condition');
  if (condition === undefined) return none;
  const place = { line: condition.line, path: `${at.path}.condition` };
  if (condition.value.kind !== 'string') {
    report('condition-type', place, `it is ${printNode(condition.value)}`);
    return none;
  }
  const { text } = condition.value;
  if (text === '') return none;
  return { text, isBroken: !checkCondition(text, trigger !== 'param', place, report) };
}

interface Job extends JobOutcome {
  readonly isBroken: boolean;
}

function readJob(job: JsonNode, at: Place, reading: JobReading): Job | undefined {
  const { report, release, usedNames } = reading;
  if (job.kind !== 'object') {
    report('job-type', at, `it is ${printNode(job)}`);
    return undefined;
  }
  const name = member(job, 'name');
  if (name?.value.kind !== 'string') {
    report('job-name', at, name === undefined ? 'there is no "name"' : `it is ${printNode(name.value)}`);
    return undefined;
  }
  const { text } = name.value;
  if (text.length > 255) report('job-name-long', at, `the name has ${text.length} characters`);
  const trigger = triggerOf(text, release);
  const { text: condition, isBroken } = readCondition(job, trigger, at, report);
  const commands = readCommands(job, at, reading);
  if (trigger === 'param' && condition === undefined) report('job-deaf', at, `"${text}" has no condition`);
  if (trigger === 'name' && condition === undefined && !usedNames.has(text)) {
    report('job-idle', at, `"${text}"`);
  }
  return { name: text, trigger, condition, commands, isBroken };
}

/**
 * Adds a job to those read before. A second one of the same name adds its commands; its condition counts only where the
 * first has none, and if it is broken then, init drops both: UpdateJobTrigger in services/param/trigger/trigger_manager.c.
 */
function addJob(jobs: Map<string, JobOutcome>, { isBroken, ...job }: Job): void {
  const first = jobs.get(job.name);
  if (isBroken && first?.condition === undefined) {
    jobs.delete(job.name);
    return;
  }
  const condition = first?.condition ?? job.condition;
  jobs.set(job.name, { ...job, condition, commands: [...(first?.commands ?? []), ...job.commands] });
}

/** Reads the jobs of a file; of several with the same name init runs the commands of all. */
export function readJobs(root: JsonNode, reading: JobReading): readonly JobOutcome[] {
  const list = member(root, 'jobs', true);
  if (list?.value.kind !== 'array') return [];
  const jobs = new Map<string, JobOutcome>();
  for (const [index, node] of list.value.items.entries()) {
    const job = readJob(node, { line: node.line, path: `jobs[${index}]` }, reading);
    if (job !== undefined) addJob(jobs, job);
  }
  return [...jobs.values()];
}

/** Every job name that a file defines. */
export function definedJobs(root: JsonNode): ReadonlySet<string> {
  const jobs = member(root, 'jobs', true);
  if (jobs?.value.kind !== 'array') return new Set(stages);
  const names = jobs.value.items.map((job) => member(job, 'name')?.value);
  return new Set([...stages, ...names.flatMap((name) => (name?.kind === 'string' ? [name.text] : []))]);
}

/** The names behind `trigger` in the jobs of a file, and where they stand. */
export function triggeredJobs(root: JsonNode): readonly (Place & { readonly name: string })[] {
  const jobs = member(root, 'jobs', true);
  if (jobs?.value.kind !== 'array') return [];
  return jobs.value.items.flatMap((job, jobIndex) => {
    const cmds = member(job, 'cmds')?.value;
    if (cmds?.kind !== 'array') return [];
    return cmds.items.flatMap((item, index) => {
      const name = item.kind === 'string' ? /^\s*trigger +(\S+)/.exec(item.text)?.[1] : undefined;
      const path = `jobs[${jobIndex}].cmds[${index}]`;
      return name === undefined ? [] : [{ name, line: item.line, path }];
    });
  });
}
