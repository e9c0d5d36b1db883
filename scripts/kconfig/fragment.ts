import { printConfig, type Setting } from '../../agent/kernel/config-text.ts';
import {
  checkKernel,
  type KernelReport,
  lackingOptions,
  type OptionVerdict,
} from '../../agent/kernel/kernel-check.ts';
import type { Level } from '../../agent/kernel/kernel-option.ts';
import { findOption } from '../../agent/kernel/option-table.ts';

const levels: readonly Level[] = ['required', 'recommended', 'optional'];

/** Levels from the strongest down to `least`, both included. */
function levelsDownTo(least: Level): readonly Level[] {
  return levels.slice(0, levels.indexOf(least) + 1);
}

/** One option that a fragment sets, and the entry of the report that it answers. */
export interface FragmentEntry {
  readonly name: string;
  readonly value: 'y' | 'n';
  readonly reason: OptionVerdict;
}

/**
 * The settable option that brings a hidden one: itself where it is settable, else what selects it. Undefined where a
 * default brings it as soon as its parents are on, which the fragment sets anyway.
 */
function settableName(name: string, chosen: ReadonlySet<string>): string | undefined {
  const option = findOption(name);
  if (option?.hidden === undefined) return name;
  const selectors = option.selectedBy ?? [];
  const selector = selectors.find((candidate) => chosen.has(candidate)) ?? selectors[0];
  return selector === undefined ? undefined : settableName(selector, chosen);
}

/** The options to set so that nothing that a report names down to `least` is lacking. */
function entriesFor(report: KernelReport, least: Level): readonly FragmentEntry[] {
  const wanted = levelsDownTo(least);
  const lacking = lackingOptions(report).filter(({ level }) => wanted.includes(level));
  const chosen = new Set(lacking.map(({ name }) => name));
  const entries = new Map<string, FragmentEntry>();
  for (const reason of lacking) {
    const name = settableName(reason.name, chosen);
    if (name !== undefined && !entries.has(name)) entries.set(name, { name, value: reason.want, reason });
  }
  return [...entries.values()];
}

function withEntries(
  config: ReadonlyMap<string, Setting>,
  entries: readonly FragmentEntry[],
): ReadonlyMap<string, Setting> {
  const added = entries.map(({ name, value }) => [name, { value, source: 'fragment', line: 0 }] as const);
  return new Map([...config, ...added]);
}

/**
 * The options to set so that nothing down to `least` is lacking, none where nothing is. An option that is switched on
 * can bring another to life (CGROUP_SCHED brings RT_GROUP_SCHED), so the result is checked until nothing new turns up.
 */
export function fragmentFor(
  config: ReadonlyMap<string, Setting>,
  report: KernelReport,
  isWhole: boolean,
  least: Level,
): readonly FragmentEntry[] {
  const { features, kernel } = report;
  const entries = [...entriesFor(report, least)];
  for (;;) {
    const next = entriesFor(checkKernel(withEntries(config, entries), { features, kernel, isWhole }), least);
    const fresh = next.filter(({ name }) => entries.every((entry) => entry.name !== name));
    if (fresh.length === 0) return entries;
    entries.push(...fresh);
  }
}

function comment({ reason, name }: FragmentEntry): string {
  const purpose =
    reason.parentOf.length > 0
      ? `as parent of ${reason.parentOf.join(', ')}`
      : `for ${reason.features.join(', ')}`;
  const brings = name === reason.name ? '' : `, brings ${reason.name}`;
  return `# ${reason.level} ${purpose}${brings}\n#   without: ${reason.without}`;
}

/** The entries as text for a defconfig layer, each with its reason. */
export function printFragment(entries: readonly FragmentEntry[]): string {
  return entries.map((entry) => `${comment(entry)}\n${printConfig([[entry.name, entry.value]])}`).join('');
}
