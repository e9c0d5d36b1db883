import { AgentError } from '../../agent/core/agent-error.ts';
import {
  type ConfigFile,
  mergeConfigs,
  type Override,
  printConfig,
  type Setting,
} from '../../agent/kernel/config-text.ts';
import { checkKernel, type KernelReport, type OptionVerdict } from '../../agent/kernel/kernel-check.ts';
import { defaultFeatures, type Feature, features } from '../../agent/kernel/kernel-option.ts';
import { resolveWithTree } from './kernel-tree.ts';
import { checkLayerOrder, kernelOfLayers } from './layers.ts';
import { readConfig } from './read-config.ts';

/** The kernel assumed where neither an option nor a file tells one: OpenHarmony's from 5.1.0 on. */
const assumedKernel = '6.6';

/** Options that every command about a configuration understands. */
export interface QuestionOptions {
  readonly kernel?: string;
  readonly feature?: readonly string[];
  readonly tree?: string;
}

/** A configuration held against the table, with all that a report or a fragment needs. */
export interface Answer {
  readonly files: readonly ConfigFile[];
  readonly config: ReadonlyMap<string, Setting>;
  /** One whole configuration and not layers. */
  readonly isWhole: boolean;
  readonly report: KernelReport;
  /** Needed options that one layer switches on and a later one off. */
  readonly contradictions: readonly Override[];
  /** Facts a reader should know about the input. */
  readonly notes: readonly string[];
}

/** Feature names from the command line; `default` and `all` stand for several. Throws USAGE for an unknown one. */
function parseFeatures(names: readonly string[] | undefined): readonly Feature[] {
  if (names === undefined || names.length === 0) return defaultFeatures;
  const chosen = new Set<Feature>();
  for (const name of names.flatMap((value) => value.split(',')).filter((value) => value !== '')) {
    if (name === 'default') for (const feature of defaultFeatures) chosen.add(feature);
    else if (name === 'all') for (const feature of Object.keys(features)) chosen.add(feature as Feature);
    else if (Object.hasOwn(features, name)) chosen.add(name as Feature);
    else {
      throw new AgentError(
        'USAGE',
        `Cannot check feature "${name}": want default, all, ${Object.keys(features).join(', ')}`,
      );
    }
  }
  return [...chosen];
}

/** `5.10` from `5.10`, `5.10.79` or `linux-5.10`. Throws USAGE for anything else. */
export function parseKernel(text: string): string {
  const version = /^(?:linux-)?(\d+\.\d+)(?:\.\d+)?(?:-.*)?$/.exec(text)?.[1];
  if (version !== undefined) return version;
  throw new AgentError('USAGE', `Cannot use "${text}" as a kernel version: want one like 5.10 or 6.6`);
}

function ignoredNotes(files: readonly ConfigFile[]): readonly string[] {
  return files.flatMap(({ source, ignored }) =>
    ignored.map(({ line, text }) => `${source}:${line}: the kernel's build ignores "${text.trim()}"`),
  );
}

/** What a kernel tree switched off although the layers ask for it. */
function markDropped(report: KernelReport, asked: ReadonlyMap<string, Setting>): KernelReport {
  const options = report.options.map((option): OptionVerdict => {
    const setBy = asked.get(option.name);
    const wasAsked = setBy !== undefined && setBy.value !== 'n';
    const verdict = option.verdict === 'missing' && wasAsked ? 'dropped' : option.verdict;
    return setBy === undefined ? { ...option, verdict } : { ...option, verdict, setBy };
  });
  return { ...report, options };
}

function findContradictions(report: KernelReport, overrides: readonly Override[]): readonly Override[] {
  const lacking = new Set(
    report.options
      .filter(({ want, value, level }) => want === 'y' && value === 'n' && level !== 'optional')
      .map(({ name }) => name),
  );
  return overrides.filter(
    ({ name, before, after }) => lacking.has(name) && before.value !== 'n' && after.value === 'n',
  );
}

/** Merges layers, lets the kernel tree resolve them where one is given, and holds the result against the table. */
export async function answerFor(files: readonly ConfigFile[], options: QuestionOptions): Promise<Answer> {
  checkLayerOrder(files);
  const told = kernelOfLayers(files);
  const kernel = options.kernel === undefined ? (told ?? assumedKernel) : parseKernel(options.kernel);
  const notes = [...ignoredNotes(files)];
  if (options.kernel === undefined && told === undefined) {
    notes.push(`no file tells the kernel version; ${assumedKernel} is assumed, --kernel says another`);
  } else if (told !== undefined && told !== kernel) {
    notes.push(`the files are of kernel ${told}, checked as ${kernel}`);
  }
  const { config, overrides } = mergeConfigs(files);
  const request = { features: parseFeatures(options.feature), kernel };
  const isWhole = files.length === 1 && files[0]?.isWhole === true;
  const plain = checkKernel(config, { ...request, isWhole });
  const contradictions = findContradictions(plain, overrides);
  if (options.tree === undefined) return { files, config, isWhole, report: plain, contradictions, notes };
  const text = printConfig([...config].map(([name, { value }]) => [name, value] as const));
  const resolved = await resolveWithTree(options.tree, text);
  if (resolved.kernel !== undefined && resolved.kernel !== kernel) {
    notes.push(`the tree is of kernel ${resolved.kernel}, an approximation for ${kernel}`);
  }
  const whole = checkKernel(mergeConfigs([resolved]).config, { ...request, isWhole: true });
  return { files, config, isWhole, report: markDropped(whole, config), contradictions, notes };
}

/** Reads files in the order given and answers for them. */
export async function answerForPaths(paths: readonly string[], options: QuestionOptions): Promise<Answer> {
  const files: ConfigFile[] = [];
  for (const path of paths) files.push(await readConfig(path));
  return answerFor(files, options);
}

/** The needed options that are modules which the kernel refuses to load. */
export function refusedModules(report: KernelReport): readonly OptionVerdict[] {
  return report.options.filter(({ verdict, level }) => verdict === 'refused' && level !== 'optional');
}

/** 0 nothing required is lacking, 1 something is, 2 the input contradicts itself. */
export function exitCodeOf({ report, contradictions }: Answer): number {
  if (contradictions.length > 0 || refusedModules(report).length > 0) return 2;
  const isLacking = report.options.some(
    ({ verdict, level }) =>
      level === 'required' && (verdict === 'missing' || verdict === 'dropped' || verdict === 'unwanted'),
  );
  return isLacking ? 1 : 0;
}
