import { type Command, Option } from 'commander';
import { type Feature, features, type Level } from '../../agent/kernel/kernel-option.ts';
import { kernelOptions } from '../../agent/kernel/option-table.ts';
import { type Finish, newProgram } from '../terminal/program.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { hangingText } from '../terminal/wrap-text.ts';
import { findConfigTree } from './config-tree.ts';
import { printOptionFacts, requireOption } from './explain-text.ts';
import { fragmentFor, printFragment } from './fragment.ts';
import { answerForPaths, exitCodeOf, parseKernel, type QuestionOptions } from './kernel-question.ts';
import { planMerge, writeMerge } from './merge-layer.ts';
import { mergeFacts, printMerge } from './merge-text.ts';
import { answerJson, contradictionTexts, printAnswer } from './report-text.ts';

const examples = `
Files are layers in the order in which OpenHarmony's build merges them, the last wins: type/standard_defconfig,
form/<variant>_defconfig, <device>/arch/arm64_defconfig, <device>/product/<device_type>_defconfig, base_defconfig
(3.x: one file). A whole .config or a config.gz from a board works too.

Examples:
  npm run kconfig -- check linux-6.6/type/standard_defconfig linux-6.6/rk3568/arch/arm64_defconfig linux-6.6/base_defconfig
  npm run kconfig -- check config.gz --feature default,ipv6 --json
  npm run kconfig -- merge --into ~/openharmony --kernel 6.6
  npm run kconfig -- explain BRIDGE_NETFILTER

Exit code: 0 nothing required is lacking, 1 something is, 2 wrong usage or a configuration that contradicts itself.`;

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

function addQuestionOptions(command: Command): Command {
  return command
    .option(
      '--kernel <version>',
      'kernel version, for example 5.10 or 6.6 (default: what the files tell, else 6.6)',
    )
    .option(
      '--feature <names>',
      `what the kernel is for, repeatable: default, all, ${Object.keys(features).join(', ')}`,
      collect,
    )
    .option('--tree <dir>', 'let olddefconfig of this kernel tree decide (needs make, gcc, flex, bison)');
}

function levelOption(): Option {
  return new Option('--level <level>', 'weakest options to include')
    .choices(['required', 'recommended', 'optional'])
    .default('recommended');
}

function addCheck(program: Command, terminal: Terminal, finish: Finish): void {
  addQuestionOptions(program.command('check'))
    .summary('check layers, a .config or a config.gz')
    .description('Says which options are lacking, what a user sees without them and which line decides.')
    .argument('<file...>', 'layers in merge order, or one whole configuration')
    .option('--optional', 'list optional options too')
    .option('--json', 'print the answer for programs')
    .action(async (paths: string[], options: QuestionOptions & { optional?: true; json?: true }) => {
      const answer = await answerForPaths(paths, options);
      if (options.json === true) terminal.out(JSON.stringify(answerJson(answer), null, 2));
      else printAnswer(answer, options.optional === true, terminal);
      finish(exitCodeOf(answer));
    });
}

function addFragment(program: Command, terminal: Terminal, finish: Finish): void {
  addQuestionOptions(program.command('fragment'))
    .summary('print the options to add')
    .description('Prints only what the files lack, as lines for a defconfig layer, each with its reason.')
    .argument('<file...>', 'layers in merge order, or one whole configuration')
    .addOption(levelOption())
    .action(async (paths: string[], options: QuestionOptions & { level: Level }) => {
      const answer = await answerForPaths(paths, options);
      const entries = fragmentFor(answer.config, answer.report, answer.isWhole, options.level);
      for (const text of contradictionTexts(answer)) terminal.err(`note: ${text}`);
      if (entries.length === 0) terminal.err('nothing is lacking');
      else terminal.out(printFragment(entries).trimEnd());
      finish(0);
    });
}

interface MergeOptions extends QuestionOptions {
  readonly into: string;
  readonly device: string;
  readonly product: string;
  readonly variant: string;
  readonly level: Level;
  readonly dryRun?: true;
  readonly json?: true;
}

async function merge(options: MergeOptions, terminal: Terminal): Promise<number> {
  const kernel = options.kernel === undefined ? {} : { kernel: parseKernel(options.kernel) };
  const { device, product, variant } = options;
  const tree = await findConfigTree(options.into, { ...kernel, device, product, variant });
  const plan = await planMerge(tree, options, options.level);
  const isWritten = options.dryRun !== true && plan.isChanged;
  if (isWritten) await writeMerge(tree, plan);
  if (options.json === true) terminal.out(JSON.stringify(mergeFacts(tree, plan, isWritten), null, 2));
  else printMerge(tree, plan, isWritten, terminal);
  return exitCodeOf(plan.after) === 0 ? 0 : 1;
}

function addMerge(program: Command, terminal: Terminal, finish: Finish): void {
  addQuestionOptions(program.command('merge'))
    .summary("write the product layer that OpenHarmony's build picks up")
    .description(
      'Writes <device>/product/<device_type>_defconfig (4.0 on) or a block at the end of the one file of 3.x, and says where base_defconfig, which wins, defeats an option.',
    )
    .requiredOption(
      '--into <dir>',
      "OpenHarmony's source root, its kernel/linux/config, or a linux-X.Y folder in it",
    )
    .option('--device <name>', 'device folder of the configuration', 'rk3568')
    .option('--product <name>', 'device_type of the build', 'default')
    .option('--variant <name>', 'build_variant of the build', 'root')
    .addOption(levelOption())
    .option('--dry-run', 'say what would be written, write nothing')
    .option('--json', 'print the result for programs')
    .action(async (options: MergeOptions) => finish(await merge(options, terminal)));
}

function listFeatures({ out, style, width }: Terminal): void {
  for (const [feature, text] of Object.entries(features)) {
    const names = kernelOptions.filter(({ needs }) => needs[feature as Feature] !== undefined);
    out(`${style.bold(feature)}: ${text}`);
    out(hangingText('  ', names.map(({ name }) => name).join(' '), width));
  }
}

function addExplain(program: Command, terminal: Terminal): void {
  program
    .command('explain')
    .summary('tell what an option is for')
    .description(
      'Tells who needs an option, its parents, what a user sees without it, and the source. Without a name: all options by feature.',
    )
    .argument('[option...]', 'names, with or without CONFIG_')
    .option('--json', 'print the rows for programs')
    .action((names: string[], options: { json?: true }) => {
      const rows = names.map(requireOption);
      if (options.json === true)
        terminal.out(JSON.stringify(names.length === 0 ? kernelOptions : rows, null, 2));
      else if (names.length === 0) listFeatures(terminal);
      else for (const row of rows) printOptionFacts(row, terminal);
    });
}

/** `npm run kconfig`: the kernel options that dockerd and edgecore need, on the build host. */
export function kconfigProgram(terminal: Terminal, finish: Finish): Command {
  const program = newProgram(
    'kconfig',
    'Checks and completes the kernel configuration of an OpenHarmony board for dockerd and edgecore.',
    terminal,
  ).addHelpText('after', examples);
  addCheck(program, terminal, finish);
  addFragment(program, terminal, finish);
  addMerge(program, terminal, finish);
  addExplain(program, terminal);
  return program;
}
