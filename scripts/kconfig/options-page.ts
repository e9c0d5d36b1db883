import {
  defaultFeatures,
  type Feature,
  features,
  type KernelOption,
  type Level,
  sources,
} from '../../agent/kernel/kernel-option.ts';
import { kernelOptions } from '../../agent/kernel/option-table.ts';

/** The page is written by `npm run reference`, and a test holds it to the table. */
export const optionsPageFile = 'docs/kernel-options.md';

const head = `# Kernel options

Written by \`npm run reference\` from the table that \`npm run kconfig\` and the agent's doctor read; change the table in
\`agent/kernel\`, not this page.

\`npm run kconfig -- check FILE…\` says which of them a configuration lacks, \`fragment\` prints what to add, \`merge --into DIR\` writes
it where OpenHarmony's build picks it up, \`explain OPTION\` tells one. The wanted value is \`y\` where the name says nothing else: rk3568 kernels from 4.0 on only load
modules that their own build signed (MODULE_SIG_FORCE), so a loose \`.ko\` is no way out. "Parents" are options without which the
kernel's configuration drops the option in silence.
`;

const levels: Readonly<Record<Level, string>> = {
  required: 'Required',
  recommended: 'Recommended',
  optional: 'Optional',
};

/** Markdown of every option of the table, by feature and level. */
export function optionsPage(): string {
  const others = (Object.keys(features) as Feature[]).filter((feature) => !defaultFeatures.includes(feature));
  const parts = kernelOptions.filter(({ needs }) => Object.keys(needs).length === 0);
  return [
    head,
    '## For a board as this project sets it up\n',
    `Features \`${defaultFeatures.join('`, `')}\`: what \`check\` asks for without \`--feature\`.\n`,
    ...(Object.keys(levels) as Level[]).flatMap((level) => levelSection(level)),
    '## For single features\n',
    'Asked for with `--feature NAME`; only what the list above does not have at the same level.\n',
    ...others.flatMap(featureSection),
    '## Parents\n',
    'Nobody needs these by themselves; without them the kernel drops options from above.\n',
    ...table(parts, ['Option', 'Without it'], (option) => [nameOf(option), option.without]),
    '## Sources\n',
    ...Object.entries(sources).map(([name, text]) => `- ${name}: ${text}`),
    '',
  ].join('\n');
}

/** The strongest demand that one of the features makes. */
function levelFor({ needs }: KernelOption, wanted: readonly Feature[]): Level | undefined {
  return (Object.keys(levels) as Level[]).find((level) => wanted.some((feature) => needs[feature] === level));
}

function levelSection(level: Level): string[] {
  const rows = kernelOptions.filter((option) => levelFor(option, defaultFeatures) === level);
  return [
    `### ${levels[level]}\n`,
    ...table(rows, ['Option', 'For', 'Without it', 'Parents', 'Source'], (option) => [
      nameOf(option),
      defaultFeatures.filter((feature) => option.needs[feature] !== undefined).join(', '),
      option.without,
      parentsOf(option),
      option.source,
    ]),
  ];
}

function featureSection(feature: Feature): string[] {
  const rows = kernelOptions.filter(({ needs }) => needs[feature] !== undefined);
  const own = rows.filter((option) => option.needs[feature] !== levelFor(option, defaultFeatures));
  if (own.length === 0) return [];
  return [
    `### ${feature}: ${features[feature]}\n`,
    ...table(own, ['Option', 'Level', 'Without it', 'Parents'], (option) => [
      nameOf(option),
      option.needs[feature] ?? '',
      option.without,
      parentsOf(option),
    ]),
  ];
}

function nameOf({ name, want, since, until }: KernelOption): string {
  const value = want === undefined || want === 'y' ? '' : `=${want}`;
  const range =
    since === undefined ? (until === undefined ? '' : ` (before ${until})`) : ` (from ${since} on)`;
  return `${name}${value}${range}`;
}

function parentsOf({ parents }: KernelOption): string {
  return (parents ?? []).map((parent) => parent.replaceAll('|', ' or ')).join(', ');
}

function table(
  rows: readonly KernelOption[],
  titles: readonly string[],
  cells: (option: KernelOption) => readonly string[],
): string[] {
  const line = (words: readonly string[]): string =>
    `| ${words.map((word) => word.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map((option) => line(cells(option))), ''];
}
