import { Command, CommanderError } from 'commander';
import { AgentError, errorTable, messageOf } from '../../agent/core/agent-error.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** Receives the exit code of the command that ran: 0 yes or done, 1 answered no, 2 usage or bad input. */
export type Finish = (exitCode: number) => void;

/** A program with the house's help look; commands are added by the caller. */
export function newProgram(name: string, description: string, terminal: Terminal): Command {
  const { bold, cyan } = terminal.style;
  return new Command(name)
    .description(description)
    .exitOverride()
    .configureHelp({
      styleTitle: bold,
      styleCommandText: cyan,
      styleOptionText: cyan,
      styleSubcommandText: cyan,
      helpWidth: terminal.width,
    })
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      getOutHasColors: () => terminal.hasColor,
      getErrHasColors: () => terminal.hasColor,
    })
    .showHelpAfterError("Use '--help' to see the arguments");
}

/**
 * Runs a program on its arguments and tells the exit code. An AgentError becomes its message and the code of its
 * row; wrong usage is 2; anything else is a bug: its stack and 70.
 */
export async function runProgram(
  define: (finish: Finish) => Command,
  argv: readonly string[],
  terminal: Terminal,
): Promise<number> {
  let exitCode = 0;
  const program = define((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof AgentError) {
      terminal.err(`${terminal.style.red('error:')} ${error.message}`);
      return errorTable[error.code].exit;
    }
    terminal.err(error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
    return errorTable.BUG.exit;
  }
}

/** Runs a program on the arguments of this process and leaves the exit code in it. */
export async function runHere(define: (terminal: Terminal, finish: Finish) => Command): Promise<void> {
  const terminal = processTerminal();
  process.exitCode = await runProgram((finish) => define(terminal, finish), process.argv.slice(2), terminal);
}

/** Reads the number of an option; USAGE where it is none of those that `isWanted` takes. */
export function numberOf(name: string, isWanted: (value: number) => boolean, wanted: string) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && isWanted(value)) return value;
    throw new AgentError('USAGE', `Cannot use ${name} "${text}": want ${wanted}`);
  };
}
