import { AgentError } from '../core/agent-error.ts';
import { baseOptions } from './base-options.ts';
import { cgroupOptions } from './cgroup-options.ts';
import { extraNetworkOptions } from './extra-network-options.ts';
import {
  type Feature,
  features,
  type KernelOption,
  type Level,
  type Source,
  sources,
} from './kernel-option.ts';
import { networkOptions } from './network-options.ts';
import { storageOptions } from './storage-options.ts';

/*
 * A row is `NAME ; needs ; facts ; source ; what a user sees without it`, `-` where a column is empty.
 * needs: feature names, each with `!` required, `+` recommended or `?` optional.
 * facts: `want=n` `parents=A,B|C` `by=A,B` `module` `hidden` `default=y|m` `instead=A` `since=5.2` `until=5.8`,
 * told in KernelOption. Text instead of objects, because the table travels to the board inside the bundle.
 */

const levels: Readonly<Record<string, Level>> = { '!': 'required', '+': 'recommended', '?': 'optional' };

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function list(value: string): readonly string[] {
  return value.split(',');
}

/** How each word of the facts column changes the row. */
const factSetters: Readonly<Record<string, (row: Writable<KernelOption>, value: string) => void>> = {
  want: (row, value) => {
    row.want = value === 'n' ? 'n' : 'y';
  },
  parents: (row, value) => {
    row.parents = list(value);
  },
  by: (row, value) => {
    row.selectedBy = list(value);
  },
  module: (row) => {
    row.module = true;
  },
  hidden: (row) => {
    row.hidden = true;
  },
  default: (row, value) => {
    row.byDefault = value === 'm' ? 'm' : 'y';
  },
  instead: (row, value) => {
    row.instead = value;
  },
  since: (row, value) => {
    row.since = value;
  },
  until: (row, value) => {
    row.until = value;
  },
};

function words(column: string): readonly string[] {
  return column === '-' ? [] : column.split(' ');
}

function parseNeeds(column: string, line: string): KernelOption['needs'] {
  const needs: Partial<Record<Feature, Level>> = {};
  for (const word of words(column)) {
    const feature = word.slice(0, -1);
    const level = levels[word.slice(-1)];
    if (!Object.hasOwn(features, feature) || level === undefined) throw brokenRow(line, word);
    needs[feature as Feature] = level;
  }
  return needs;
}

function brokenRow(line: string, word: string): AgentError {
  return new AgentError('BUG', `Cannot read the kernel option row "${line}": "${word}" means nothing`);
}

/** Reads one row of the table; throws BUG where a word means nothing. */
export function parseRow(line: string): KernelOption {
  const [name = '', needs = '', facts = '', source = '', ...rest] = line.split(' ; ');
  if (!Object.hasOwn(sources, source)) throw brokenRow(line, source);
  const row: Writable<KernelOption> = {
    name,
    needs: parseNeeds(needs, line),
    source: source as Source,
    without: rest.join(' ; '),
  };
  for (const fact of words(facts)) {
    const [key = '', value = ''] = fact.split('=');
    const set = factSetters[key];
    if (set === undefined) throw brokenRow(line, fact);
    set(row, value);
  }
  return row;
}

/** Every kernel option that dockerd, containers, edgecore or the agent ask for, and the parents without which Kconfig drops them. */
export const kernelOptions: readonly KernelOption[] = [
  baseOptions,
  cgroupOptions,
  storageOptions,
  networkOptions,
  extraNetworkOptions,
].flatMap((table) => table.trim().split('\n').map(parseRow));

const byName: ReadonlyMap<string, KernelOption> = new Map(
  kernelOptions.map((option) => [option.name, option]),
);

/** The row of an option, named with or without `CONFIG_`. */
export function findOption(name: string): KernelOption | undefined {
  return byName.get(name.replace(/^CONFIG_/, ''));
}
