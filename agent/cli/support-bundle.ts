import { AgentError, isAbort, messageOf } from '../core/agent-error.ts';
import type { CommandContext, Run } from './command.ts';
import { hasFlag, printJson, textOf } from './input.ts';

/** Newest records and lines to take along. */
const maxRecords = 1_000;

/** Collects what the agent says and what lies on the board into one archive. */
export const run: Run = async (ctx, input) => {
  const { supportBundle } = ctx.local;
  if (supportBundle === undefined)
    throw new AgentError('BUG', 'Cannot collect anything: this build of agentctl has no way to look');
  const documents = await ask(ctx);
  const output = textOf(input, 'output') ?? defaultName(ctx);
  const made = await supportBundle({ documents, output }, ctx.signal);
  // The archive itself may go to the standard output.
  const tell = output === '-' ? ctx.err : ctx.out;
  if (hasFlag(input, 'json') && output !== '-') printJson(ctx, made);
  else tell(`${made.output}: ${made.files.length} files, ${made.bytes} bytes; secrets are taken out`);
  return 0;
};

/** Every answer, or why there is none: a bundle is wanted most when the agent is ill. */
async function ask(ctx: CommandContext): Promise<Readonly<Record<string, unknown>>> {
  const { client, local, signal } = ctx;
  const questions: Readonly<Record<string, () => Promise<unknown>>> = {
    version: () => client.version(signal),
    status: () => client.status(signal),
    doctor: () => client.doctor(signal).catch(insteadOf(local.doctor, signal)),
    plan: () => client.plan(signal).catch(insteadOf(local.plan, signal)),
    events: () => client.events(0, signal),
    ledger: () => client.ledger({ n: maxRecords }, signal),
    samples: () => client.samples(signal),
    edge: () => client.edge(signal),
    parts: () => client.parts(signal),
  };
  const answers = await Promise.all(
    Object.entries(questions).map(async ([name, question]) => {
      try {
        return [name, await question()] as const;
      } catch (error) {
        if (isAbort(error)) throw error;
        return [name, { error: messageOf(error) }] as const;
      }
    }),
  );
  return {
    made: { by: `agentctl ${ctx.version}`, at: ctx.time(ctx.clock.wallMs()) },
    ...Object.fromEntries(answers),
  };
}

function insteadOf<T>(
  look: ((signal: AbortSignal) => Promise<T>) | undefined,
  signal: AbortSignal,
): (error: unknown) => Promise<T> {
  return async (error) => {
    if (look === undefined || isAbort(error)) throw error;
    return look(signal);
  };
}

function defaultName(ctx: CommandContext): string {
  const at = ctx.time(ctx.clock.wallMs()).replaceAll(/[-:]/g, '').replace(' ', '-');
  return `oh-edge-support-${at}.tar`;
}
