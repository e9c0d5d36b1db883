import type { Setting } from '../../agent/kernel/config-text.ts';
import { isLacking, lackingOptions, type OptionVerdict } from '../../agent/kernel/kernel-check.ts';
import type { Level } from '../../agent/kernel/kernel-option.ts';
import type { Style, Terminal } from '../terminal/terminal.ts';
import { hangingText } from '../terminal/wrap-text.ts';
import { type Answer, exitCodeOf, refusedModules } from './kernel-question.ts';

function place({ source, line }: Setting): string {
  return `${source}:${line}`;
}

function stateOf(option: OptionVerdict): string {
  const { setBy, verdict, value, parentsOff } = option;
  const where = setBy === undefined ? 'no layer names it' : `${place(setBy)} says ${setBy.value}`;
  switch (verdict) {
    case 'dropped':
      return parentsOff.length > 0
        ? `${where}, but Kconfig drops it: ${parentsOff.join(', ')} is off`
        : `${where}, but olddefconfig of the kernel tree dropped it`;
    case 'refused':
      return `${where}: a module, and this kernel loads no module that the image could bring; want y`;
    case 'module':
      return `${where}: a module; load it before dockerd starts, OpenHarmony has no modprobe`;
    case 'unwanted':
      return `${where}; want it off`;
    case 'ok':
    case 'missing':
    case 'replaced':
      return value === 'n' ? where : `${where}: ${value}`;
  }
}

function paintLevel(level: Level, style: Style): string {
  if (level === 'required') return style.red(level);
  return level === 'recommended' ? style.yellow(level) : style.dim(level);
}

function printOption(option: OptionVerdict, { out, style, width }: Terminal): void {
  const purpose =
    option.parentOf.length > 0
      ? `as parent of ${option.parentOf.join(', ')}`
      : `for ${option.features.join(', ')}`;
  out(`  ${style.bold(`CONFIG_${option.name}`)}  ${style.dim(purpose)}`);
  out(hangingText('      ', option.without, width));
  out(style.dim(hangingText('      ', stateOf(option), width)));
}

function printLevel(answer: Answer, level: Level, terminal: Terminal): void {
  const options = lackingOptions(answer.report, level);
  if (options.length === 0) return;
  terminal.out(`\n${paintLevel(level, terminal.style)} and lacking: ${options.length}`);
  for (const option of options) printOption(option, terminal);
}

function printModules(answer: Answer, terminal: Terminal): void {
  const modules = answer.report.options.filter(({ verdict }) => verdict === 'module');
  if (modules.length === 0) return;
  terminal.out(`\nmodules to load before dockerd starts: ${modules.map(({ name }) => name).join(', ')}`);
}

/** What contradicts itself in the input, one complaint each. */
export function contradictionTexts({ contradictions, report }: Answer): readonly string[] {
  return [
    ...contradictions.map(
      ({ name, before, after }) =>
        `Cannot have CONFIG_${name}: ${place(before)} sets ${before.value}, and the later layer ${place(after)} switches it off and wins; change it there`,
    ),
    ...refusedModules(report).map(({ name, setBy }) => {
      const where = setBy === undefined ? 'no layer names it' : `${place(setBy)} sets ${setBy.value}`;
      return `Cannot have CONFIG_${name} as a module: ${where}, and MODULE_SIG_FORCE=y (or MODULES=n) refuses modules; set y`;
    }),
  ];
}

/** Prints the answer for a person: what is lacking, what a user sees without it, where it is set. */
export function printAnswer(answer: Answer, showsOptional: boolean, terminal: Terminal): void {
  const { report, files, notes } = answer;
  const { out, err, style } = terminal;
  out(`Linux ${report.kernel}, ${files.map(({ source }) => source).join(' + ')}`);
  out(style.dim(`features: ${report.features.join(', ')}`));
  for (const note of notes) out(style.dim(`note: ${note}`));
  printLevel(answer, 'required', terminal);
  printLevel(answer, 'recommended', terminal);
  if (showsOptional) printLevel(answer, 'optional', terminal);
  printModules(answer, terminal);
  for (const text of contradictionTexts(answer)) err(`${style.red('error:')} ${text}`);
  out(`\n${summary(answer, showsOptional, style)}`);
}

function summary(answer: Answer, showsOptional: boolean, style: Style): string {
  const { report } = answer;
  const fine = report.options.filter((option) => !isLacking(option)).length;
  const count = (level: Level): number => lackingOptions(report, level).length;
  const optional =
    showsOptional || count('optional') === 0 ? '' : ` (--optional lists ${count('optional')} more)`;
  const counts = `${fine} options fine, lacking: ${count('required')} required, ${count('recommended')} recommended${optional}`;
  switch (exitCodeOf(answer)) {
    case 0:
      return `${style.green('yes:')} ${counts}`;
    case 1:
      return `${style.red('no:')} ${counts}. What to add: npm run kconfig -- fragment FILE…`;
    default:
      return `${style.red('contradiction:')} ${counts}`;
  }
}

/** The answer for programs. */
export function answerJson(answer: Answer): unknown {
  const { report } = answer;
  const names = (level: Level): readonly string[] => lackingOptions(report, level).map(({ name }) => name);
  return {
    answer: (['yes', 'no'] as const)[exitCodeOf(answer)] ?? 'contradiction',
    kernel: report.kernel,
    features: report.features,
    layers: answer.files.map(({ source }) => source),
    notes: answer.notes,
    refusesModules: report.refusesModules,
    lacking: { required: names('required'), recommended: names('recommended'), optional: names('optional') },
    contradictions: contradictionTexts(answer),
    options: report.options,
  };
}
