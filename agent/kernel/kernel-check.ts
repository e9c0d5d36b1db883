import type { Setting } from './config-text.ts';
import { appliesTo, type Feature, type KernelOption, type Level } from './kernel-option.ts';
import { findOption, kernelOptions } from './option-table.ts';
import { optionResolver, parentsOff, type Resolve, type Tristate } from './resolve-option.ts';

/**
 * How an option stands: `ok`; `module` (works once the module is loaded, and OpenHarmony has no modprobe); `replaced`
 * (another option does its work); `missing`; `dropped` (asked for, but Kconfig drops it because a parent is off);
 * `refused` (a module that the kernel will not load); `unwanted` (on, and it does harm).
 */
export type Verdict = 'ok' | 'module' | 'replaced' | 'missing' | 'dropped' | 'refused' | 'unwanted';

/** One option held against a configuration. */
export interface OptionVerdict {
  readonly name: string;
  readonly want: 'y' | 'n';
  /** What the kernel's build would make of it. */
  readonly value: Tristate;
  readonly verdict: Verdict;
  readonly level: Level;
  /** Features that ask for it, directly or through an option that depends on it. */
  readonly features: readonly Feature[];
  /** Options that Kconfig drops without it; empty where a feature itself asks for it as strongly. */
  readonly parentOf: readonly string[];
  /** The line that decides, absent where no layer names the option. */
  readonly setBy?: Setting;
  readonly parentsOff: readonly string[];
  readonly without: string;
}

/** What is asked of a configuration. */
export interface KernelRequest {
  readonly features: readonly Feature[];
  /** Kernel version, `major.minor`. */
  readonly kernel: string;
  /** Every symbol is named (/proc/config.gz, .config), so that absence means off. */
  readonly isWhole: boolean;
}

/** A configuration held against the table. */
export interface KernelReport {
  readonly kernel: string;
  readonly features: readonly Feature[];
  /** The kernel loads no unsigned module, or none at all. */
  readonly refusesModules: boolean;
  /** One entry per asked option, in the order of the table. */
  readonly options: readonly OptionVerdict[];
}

const strength: readonly Level[] = ['optional', 'recommended', 'required'];

interface Demand {
  level: Level;
  readonly features: Set<Feature>;
  readonly parentOf: Set<string>;
}

function stronger(left: Level, right: Level): Level {
  return strength.indexOf(left) >= strength.indexOf(right) ? left : right;
}

/** Asks for the parents of an option at least as strongly as for itself; of alternatives only one that is on, else the first. */
function demandParents(demands: Map<string, Demand>, option: KernelOption, resolve: Resolve): void {
  const own = demands.get(option.name);
  if (own === undefined) return;
  for (const alternatives of option.parents ?? []) {
    const names = alternatives.split('|');
    const name = names.find((candidate) => resolve(candidate) !== 'n') ?? names[0];
    const parent = name === undefined ? undefined : findOption(name);
    if (parent === undefined || parent.want === 'n') continue;
    const demand = demands.get(parent.name) ?? {
      level: own.level,
      features: new Set(),
      parentOf: new Set(),
    };
    demand.level = stronger(demand.level, own.level);
    for (const feature of own.features) demand.features.add(feature);
    demand.parentOf.add(option.name);
    demands.set(parent.name, demand);
    demandParents(demands, parent, resolve);
  }
}

/** The options that the asked features name themselves. */
function namedDemands(request: KernelRequest): Map<string, Demand> {
  const demands = new Map<string, Demand>();
  for (const option of kernelOptions) {
    if (!appliesTo(option, request.kernel)) continue;
    const asking = request.features.filter((feature) => option.needs[feature] !== undefined);
    if (asking.length === 0) continue;
    const level = asking.map((feature) => option.needs[feature] ?? 'optional').reduce(stronger);
    demands.set(option.name, { level, features: new Set(asking), parentOf: new Set() });
  }
  return demands;
}

/** Keeps as reason only the children that are the reason: as strong as the demand, which no feature makes by itself. */
function tidyReasons(demands: Map<string, Demand>, named: ReadonlyMap<string, Level>): void {
  for (const [name, demand] of demands) {
    if (named.get(name) === demand.level) demand.parentOf.clear();
    for (const child of demand.parentOf) {
      if (demands.get(child)?.level !== demand.level) demand.parentOf.delete(child);
    }
  }
}

function collectDemands(request: KernelRequest, resolve: Resolve): ReadonlyMap<string, Demand> {
  const demands = namedDemands(request);
  const named = new Map([...demands].map(([name, { level }]) => [name, level] as const));
  for (const name of named.keys()) {
    const option = findOption(name);
    if (option !== undefined && option.want !== 'n') demandParents(demands, option, resolve);
  }
  tidyReasons(demands, named);
  return demands;
}

function judge(option: KernelOption, resolve: Resolve, asked: string | undefined): Verdict {
  const value = resolve(option.name);
  if (option.want === 'n') return value === 'n' ? 'ok' : 'unwanted';
  if (value === 'y') return 'ok';
  if (value === 'm') return refusesModules(resolve) ? 'refused' : 'module';
  if (option.instead !== undefined && resolve(option.instead) !== 'n') return 'replaced';
  return asked === 'y' || asked === 'm' ? 'dropped' : 'missing';
}

function refusesModules(resolve: Resolve): boolean {
  return resolve('MODULES') === 'n' || resolve('MODULE_SIG_FORCE') === 'y';
}

/** Holds a configuration against the table. Pure: the same code judges defconfigs on the build host and /proc/config.gz on the board. */
export function checkKernel(config: ReadonlyMap<string, Setting>, request: KernelRequest): KernelReport {
  const resolve = optionResolver(config, request.isWhole);
  const demands = collectDemands(request, resolve);
  const options: OptionVerdict[] = [];
  for (const option of kernelOptions) {
    const demand = demands.get(option.name);
    if (demand === undefined) continue;
    const setBy = config.get(option.name);
    options.push({
      name: option.name,
      want: option.want ?? 'y',
      value: resolve(option.name),
      verdict: judge(option, resolve, setBy?.value),
      level: demand.level,
      features: [...demand.features],
      parentOf: [...demand.parentOf],
      ...(setBy === undefined ? {} : { setBy }),
      parentsOff: parentsOff(option, resolve),
      without: option.without,
    });
  }
  return {
    kernel: request.kernel,
    features: request.features,
    refusesModules: refusesModules(resolve),
    options,
  };
}

/** Reports whether an option keeps a feature from working as it should. */
export function isLacking(option: OptionVerdict): boolean {
  return option.verdict !== 'ok' && option.verdict !== 'module' && option.verdict !== 'replaced';
}

/** The options that are lacking, of one level or of all. */
export function lackingOptions(report: KernelReport, level?: Level): readonly OptionVerdict[] {
  return report.options.filter(
    (option) => isLacking(option) && (level === undefined || option.level === level),
  );
}
