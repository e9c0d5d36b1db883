import type { CommandContext, CommandSpec, OptionSpec, Run } from './command.ts';
import { commands } from './commands.ts';

/** Longest time in milliseconds that a press of the tab key may wait for the agent. */
const patienceMs = 1_000;

/** Prints the completion script of a shell, or the unit names that the scripts ask for. */
export const run: Run = async (ctx, input) => {
  const [what] = input.args;
  if (what === 'units') await printUnits(ctx);
  else ctx.out(scripts[what ?? 'bash']?.(commands) ?? '');
  return 0;
};

/** One name a line; nothing where no agent answers, because a prompt is no place for complaints. */
async function printUnits(ctx: CommandContext): Promise<void> {
  const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(patienceMs)]);
  const status = await ctx.client.status(signal).catch(() => undefined);
  for (const { name } of status?.units ?? []) ctx.out(name);
}

/** Long and short flags of a command. */
function flagsOf(spec: CommandSpec): string[] {
  const own = (spec.options ?? []).flatMap(
    ({ flags }) => flags.match(/(?<![a-z0-9])-{1,2}[a-z0-9]+(?:-[a-z0-9]+)*/g) ?? [],
  );
  return [...own, '--help'];
}

/** Words after a command: the choices of its argument, or the names of units asked from the agent, or files. */
function argumentWords(spec: CommandSpec): string {
  const { argument } = spec;
  if (argument === undefined) return '';
  if (argument.choices !== undefined) return argument.choices.join(' ');
  return argument.shape.includes('unit') ? '$(_agentctl_units)' : '';
}

const unitNames = '_agentctl_units() { agentctl completion units 2>/dev/null; }';

function firstWords(specs: readonly CommandSpec[]): string {
  return [...new Set(specs.map(({ name }) => name.split(' ')[0]))].join(' ');
}

function groupWords(specs: readonly CommandSpec[], group: string): string {
  return specs
    .flatMap(({ name }) => (name.startsWith(`${group} `) ? [name.slice(group.length + 1)] : []))
    .join(' ');
}

/** Flags whose value is a file, as a pattern of the shell. */
function fileFlags(specs: readonly CommandSpec[]): string {
  const flags = specs.flatMap(({ options = [] }) => options.map((option) => option.flags));
  const named = flags.flatMap((flag) => /(--[a-z0-9-]+) <(?:file|path)>/.exec(flag)?.[1] ?? []);
  return [...new Set(['--socket', ...named])].join('|');
}

function bashScript(specs: readonly CommandSpec[]): string {
  const groups = [
    ...new Set(specs.flatMap(({ name }) => (name.includes(' ') ? [name.split(' ')[0] ?? ''] : []))),
  ];
  const cases = specs.map(
    (spec) => `    "${spec.name}") words="${[...flagsOf(spec), argumentWords(spec)].join(' ').trim()}" ;;`,
  );
  return `${unitNames}
_agentctl() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="" word before="" words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [ "$before" = "--socket" ] && { before=""; continue; }
    before="$word"
    case "$word" in -*) ;; *) case "$command" in ""|${groups.join('|')}) command="\${command:+$command }$word" ;; esac ;; esac
  done
  case "$previous" in ${fileFlags(specs)}) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  case "$command $previous" in
${choiceCases(specs)}
  esac
  case "$command" in
    "") words="${firstWords(specs)} --socket --help" ;;
${groups.map((group) => `    ${group}) words="${groupWords(specs, group)} --help" ;;`).join('\n')}
${cases.join('\n')}
  esac
  [ "$command" = "config check" ] && COMPREPLY=($(compgen -f -- "$current"))
  COMPREPLY+=($(compgen -W "$words" -- "$current"))
}
complete -F _agentctl agentctl`;
}

/** What may stand behind an option that takes one of a few words. */
function choiceCases(specs: readonly CommandSpec[]): string {
  return specs
    .flatMap(({ name, options = [] }) => options.map((option) => ({ name, ...option })))
    .flatMap(({ name, flags, choices }) =>
      choices === undefined
        ? []
        : `    "${name} ${longFlag(flags)}") COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$current")); return ;;`,
    )
    .join('\n');
}

function longFlag(flags: string): string {
  return /--[a-z0-9-]+/.exec(flags)?.[0] ?? flags;
}

/** zsh reads the bash script through its own compatibility layer: one list of words, not two. */
function zshScript(specs: readonly CommandSpec[]): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(specs)}`;
}

/** fish asks for each word by itself; a description comes along. */
function fishScript(specs: readonly CommandSpec[]): string {
  return [
    'complete -c agentctl -f',
    'complete -c agentctl -l socket -r -F -d "socket of the agent"',
    'complete -c agentctl -s h -l help -d "show help"',
    ...fishWords(specs),
    ...specs.flatMap(fishCommand),
  ].join('\n');
}

function fishWords(specs: readonly CommandSpec[]): string[] {
  return specs.map(({ name, summary }) => {
    const [first = '', second] = name.split(' ');
    const [when, word] = second === undefined ? ['__fish_use_subcommand', first] : [fishIn(first), second];
    return `complete -c agentctl -n ${quoted(when)} -a ${word} -d ${quoted(summary)}`;
  });
}

function fishCommand(spec: CommandSpec): string[] {
  const head = `complete -c agentctl -n ${quoted(spec.name.split(' ').map(fishIn).join('; and '))}`;
  const words = argumentWords(spec).replace('$(_agentctl_units)', '(agentctl completion units 2>/dev/null)');
  const isFile = spec.argument?.shape === '<file>';
  return [
    ...(spec.options ?? []).map((option) => `${head} ${fishOption(option)}`),
    ...(words === '' ? [] : [`${head} -a ${quoted(words)}`]),
    ...(isFile ? [`${head} -F`] : []),
  ];
}

function fishOption({ flags, help, choices }: OptionSpec): string {
  const short = /(?<!-)-([a-z])\b/.exec(flags)?.[1];
  const value = choices === undefined ? '' : ` -a ${quoted(choices.join(' '))}`;
  const takes = !flags.includes('<') ? '' : /<(?:file|path)>/.test(flags) ? ' -r -F' : ' -x';
  return `${short === undefined ? '' : `-s ${short} `}-l ${longFlag(flags).slice(2)}${takes}${value} -d ${quoted(help)}`;
}

function fishIn(word: string): string {
  return `__fish_seen_subcommand_from ${word}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`;
}

const scripts: Readonly<Record<string, (specs: readonly CommandSpec[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};
