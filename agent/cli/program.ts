import { Argument, Command, CommanderError, Option } from 'commander';
import { errorTable, isAbort, isAgentError, messageOf } from '../core/agent-error.ts';
import type { CommandContext, CommandSpec } from './command.ts';
import { commands } from './commands.ts';

/** Exit code of a usage error, a bug, and a command that Ctrl-C ended (128 + SIGINT). */
const usage = 2;
const bug = 70;
const interrupted = 130;

/** What the program needs before it knows the command. */
export interface ProgramParts {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly version: string;
  readonly columns: number;
  /** Socket that is asked where --socket is not given. */
  readonly defaultSocket: string;
  /** Makes the context once the socket is known. */
  readonly contextFor: (socketPath: string) => CommandContext;
}

/** Parses the arguments, runs the command and resolves with the exit code. Never rejects. */
export async function runProgram(argv: readonly string[], parts: ProgramParts): Promise<number> {
  const outcome = { code: usage };
  const program = makeProgram(parts, (code) => {
    outcome.code = code;
  });
  try {
    // Not an option of the program: `update` has one of that name.
    const isVersion = argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V');
    await program.parseAsync(isVersion ? ['version'] : argv, { from: 'user' });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage;
    return failed(error, parts.err);
  }
}

/** The whole command tree; `settle` gets the exit code of the command that ran. */
function makeProgram(parts: ProgramParts, settle: (code: number) => void): Command {
  const program = new Command('agentctl');
  setUp(program, parts)
    .description('Ask and control the agent that makes this board an edge node.')
    .usage('[options] COMMAND')
    .addOption(
      new Option('--socket <path>', 'socket of the agent').env('OH_EDGE_SOCKET').default(parts.defaultSocket),
    )
    .addHelpText('after', moreHelp);
  const groups = new Map<string, Command>();
  for (const spec of commands) {
    const [first = '', second] = spec.name.split(' ');
    const parent = second === undefined ? program : groupOf(program, groups, { name: first, parts });
    addCommand(parent, second ?? first, { spec, parts, settle });
  }
  return program;
}

const moreHelp = `
Examples:
  agentctl status
  agentctl doctor
  agentctl logs -f dockerd
  agentctl join --cloudcore 192.168.1.10 --token-file token --node-name board-7

Exit codes: 0 yes or done, 1 answered no, 2 wrong use, 3 agent not reachable,
  4 refused, 5 timed out, 70 bug, 78 wrong configuration.
Every command has --help. The socket can also be given in OH_EDGE_SOCKET.`;

function setUp(command: Command, { out, err, columns }: ProgramParts): Command {
  return command
    .exitOverride()
    .showHelpAfterError(`See \`agentctl ${command.name() === 'agentctl' ? '' : `${command.name()} `}--help\``)
    .showSuggestionAfterError(true)
    .configureHelp({ helpWidth: Math.min(Number.isFinite(columns) ? columns : 80, 100) })
    .configureOutput({
      writeOut: out,
      writeErr: err,
      outputError: (text, write) => write(text.replace(/^error: /, 'agentctl: ')),
    });
}

function groupOf(
  program: Command,
  groups: Map<string, Command>,
  { name, parts }: { readonly name: string; readonly parts: ProgramParts },
): Command {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const group = setUp(program.command(name), parts).summary(groupSummaries[name] ?? '');
  group.description(`${groupSummaries[name] ?? ''}.`);
  groups.set(name, group);
  return group;
}

/** Summary of each word that only holds further commands. */
export const groupSummaries: Readonly<Record<string, string>> = {
  config: 'Check and explain the configuration',
};

interface Wiring {
  readonly spec: CommandSpec;
  readonly parts: ProgramParts;
  readonly settle: (code: number) => void;
}

function addCommand(parent: Command, name: string, { spec, parts, settle }: Wiring): void {
  const command = setUp(parent.command(name), parts).summary(spec.summary);
  command.description(`${spec.summary}.${spec.details === undefined ? '' : `\n\n${spec.details}`}`);
  if (spec.argument !== undefined) command.addArgument(argumentOf(spec.argument));
  for (const { flags, help, ...rest } of spec.options ?? []) {
    const option = new Option(flags, help);
    if (rest.choices !== undefined) option.choices(rest.choices);
    if (rest.default !== undefined) option.default(rest.default);
    if (rest.isMany === true) option.argParser(collect);
    command.addOption(option);
  }
  command.action(async () => {
    const { socket } = command.optsWithGlobals<{ socket: string }>();
    const ctx = parts.contextFor(socket);
    const { run } = await spec.load();
    settle(await run(ctx, { args: command.args, options: command.opts() }));
  });
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

function argumentOf({ shape, help, choices }: NonNullable<CommandSpec['argument']>): Argument {
  const argument = new Argument(shape, help);
  if (choices !== undefined) argument.choices(choices);
  return argument;
}

/** Says an error in one line that ends with its fix, and gives its exit code. */
function failed(error: unknown, err: (text: string) => void): number {
  if (isAgentError(error)) {
    err(`agentctl: ${error.message}\n`);
    return errorTable[error.code].exit;
  }
  if (isAbort(error)) return interrupted;
  const stack = error instanceof Error ? error.stack : undefined;
  err(`agentctl: bug: ${stack ?? messageOf(error)}\n`);
  return bug;
}
