import { mkdir } from 'node:fs/promises';
import type { Verbs } from './api/verbs.ts';
import { AgentError, messageOf } from './core/agent-error.ts';
import type { CommandVerb } from './report/command-desk.ts';

/** What the verbs of signed commands work on. */
export interface CommandVerbParts {
  /** Later than the rest: the verbs want what the composition root builds last. */
  readonly verbs: () => Verbs;
  readonly home: string;
  /** Arguments of the agent, which say where its things are. */
  readonly argv: readonly string[];
}

/** Newest records of the ledger that a bundle takes along. */
const maxRecords = 1_000;

/** Everything that a signed command can do; the configuration of the board says which of it may be done. */
export function commandVerbs(parts: CommandVerbParts): Readonly<Record<string, CommandVerb>> {
  return {
    'restart-unit': async (argument, signal) => {
      const { name, phase } = await parts.verbs().restartUnit(unitOf(argument), signal);
      return { name, phase };
    },
    'collect-bundle': (_argument, signal) => collectBundle(parts, signal),
  };
}

function unitOf(argument: unknown): string {
  const unit =
    typeof argument === 'object' && argument !== null && 'unit' in argument ? argument.unit : undefined;
  if (typeof unit === 'string') return unit;
  const text = 'Cannot restart: the argument has no "unit", want {"unit":"dockerd"}';
  throw new AgentError('INPUT_INVALID', text);
}

/**
 * Writes a support bundle on the board, always to the same file, and answers where it is: no way through edgecore is
 * wide or private enough for what is in it.
 */
async function collectBundle({ verbs, home, argv }: CommandVerbParts, signal: AbortSignal): Promise<object> {
  const { writeSupportBundle } = await import('./support-bundle.ts');
  const asked = verbs();
  const questions = {
    status: () => asked.status(),
    doctor: () => asked.doctor(signal),
    plan: () => asked.plan(signal),
    ledger: () => asked.ledger(0, maxRecords),
    samples: () => asked.samples(),
    edge: () => asked.edge.status(),
  };
  const answers = Object.entries(questions).map(async ([name, question]) => [name, await orWhyNot(question)]);
  const documents = Object.fromEntries(await Promise.all(answers)) as Record<string, unknown>;
  const directory = `${home}/support`;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const output = `${directory}/bundle.tar`;
  const { bytes, files } = await writeSupportBundle({ documents, output, argv }, signal);
  return { output, bytes, files: files.length };
}

/** A bundle is wanted most when something does not answer. */
async function orWhyNot(question: () => unknown): Promise<unknown> {
  try {
    return await question();
  } catch (error) {
    return { error: messageOf(error) };
  }
}
