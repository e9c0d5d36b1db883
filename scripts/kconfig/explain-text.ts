import { AgentError } from '../../agent/core/agent-error.ts';
import { type KernelOption, type Level, sources } from '../../agent/kernel/kernel-option.ts';
import { findOption, kernelOptions } from '../../agent/kernel/option-table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { hangingText } from '../terminal/wrap-text.ts';

/** The row of an option named on the command line. Throws INPUT_INVALID with names that look like it. */
export function requireOption(name: string): KernelOption {
  const option = findOption(name.toUpperCase());
  if (option !== undefined) return option;
  const part = name.toUpperCase().replace(/^CONFIG_/, '');
  const near = kernelOptions.map((row) => row.name).filter((known) => known.includes(part));
  const hint =
    near.length > 0 ? `did you mean ${near.slice(0, 6).join(', ')}` : 'explain without a name lists them';
  throw new AgentError(
    'INPUT_INVALID',
    `Cannot explain "${name}": neither dockerd nor edgecore needs it; ${hint}`,
  );
}

/** The options that Kconfig drops when this one is off. */
function childrenOf(name: string): readonly string[] {
  return kernelOptions
    .filter(({ parents }) => parents?.some((parent) => parent.split('|').includes(name)) === true)
    .map((child) => child.name);
}

function kernelRange({ since, until }: KernelOption): string | undefined {
  if (since !== undefined) return `from ${since} on`;
  return until === undefined ? undefined : `before ${until}`;
}

/** The facts of an option as label and text, empty ones left out. */
function explainRows(option: KernelOption): readonly (readonly [label: string, text: string])[] {
  const needs = Object.entries(option.needs) as readonly (readonly [string, Level])[];
  const children = childrenOf(option.name);
  const rows: readonly (readonly [string, string | undefined])[] = [
    [
      'want',
      `${option.want ?? 'y'}${option.module === undefined ? '' : ' (m works where modules are loaded)'}`,
    ],
    ['without', option.without],
    [
      'needed by',
      needs.length > 0 ? needs.map(([feature, level]) => `${feature} (${level})`).join(', ') : undefined,
    ],
    ['parents', option.parents?.map((parent) => parent.replaceAll('|', ' or ')).join(', ')],
    ['needed for', children.length > 0 ? children.join(', ') : undefined],
    ['set by', option.selectedBy?.join(', ')],
    ['settable', option.hidden === undefined ? undefined : 'no: only through what sets it'],
    ['instead', option.instead],
    ['default', option.byDefault === undefined ? undefined : `${option.byDefault} where no layer names it`],
    ['kernels', kernelRange(option)],
    ['source', sources[option.source]],
  ];
  return rows.filter((row): row is readonly [string, string] => row[1] !== undefined);
}

/** Prints one option for a person. */
export function printOptionFacts(option: KernelOption, { out, style, width }: Terminal): void {
  out(style.bold(`CONFIG_${option.name}`));
  for (const [label, text] of explainRows(option)) out(hangingText(`  ${label.padEnd(11)}`, text, width));
}
