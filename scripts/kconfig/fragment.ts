import { printConfig } from '../../agent/kernel/config-text.ts';
import { type KernelReport, lackingOptions, type OptionVerdict } from '../../agent/kernel/kernel-check.ts';
import type { Level } from '../../agent/kernel/kernel-option.ts';
import { findOption } from '../../agent/kernel/option-table.ts';

const levels: readonly Level[] = ['required', 'recommended', 'optional'];

/** Levels from the strongest down to `least`, both included. */
export function levelsDownTo(least: Level): readonly Level[] {
  return levels.slice(0, levels.indexOf(least) + 1);
}

/** One option that a fragment sets, and the entry of the report that it answers. */
export interface FragmentEntry {
  readonly name: string;
  readonly value: 'y' | 'n';
  readonly reason: OptionVerdict;
}

/** The settable option that brings a hidden one: itself where it is settable, else what selects it. */
function settableName(name: string, chosen: ReadonlySet<string>): string {
  const option = findOption(name);
  if (option?.hidden === undefined) return name;
  const selectors = option.selectedBy ?? [];
  const selector = selectors.find((candidate) => chosen.has(candidate)) ?? selectors[0];
  return selector === undefined ? name : settableName(selector, chosen);
}

/** The options to set so that nothing down to `least` is lacking, in the order of the table; empty where nothing is. */
export function fragmentEntries(report: KernelReport, least: Level): readonly FragmentEntry[] {
  const wanted = levelsDownTo(least);
  const lacking = lackingOptions(report).filter(({ level }) => wanted.includes(level));
  const chosen = new Set(lacking.map(({ name }) => name));
  const entries = new Map<string, FragmentEntry>();
  for (const reason of lacking) {
    const name = settableName(reason.name, chosen);
    if (!entries.has(name)) entries.set(name, { name, value: reason.want, reason });
  }
  return [...entries.values()];
}

function comment({ reason, name }: FragmentEntry): string {
  const purpose =
    reason.parentOf.length > 0 ? `parent of ${reason.parentOf.join(', ')}` : reason.features.join(', ');
  const brings = name === reason.name ? '' : `, brings ${reason.name}`;
  return `# ${reason.level} for ${purpose}${brings}\n#   without: ${reason.without}`;
}

/** The entries as text for a defconfig layer, each with its reason. */
export function printFragment(entries: readonly FragmentEntry[]): string {
  return entries.map((entry) => `${comment(entry)}\n${printConfig([[entry.name, entry.value]])}`).join('');
}
