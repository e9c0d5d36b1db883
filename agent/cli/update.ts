import { AgentError } from '../core/agent-error.ts';
import type { CommandContext, CommandInput, Run } from './command.ts';
import { hasFlag, printJson, textOf } from './input.ts';
import { finishUpdate, printParts } from './update-text.ts';

/** Puts a new part in and says whether it stayed, or shows what is there. */
export const run: Run = async (ctx, input) => {
  if (hasFlag(input, 'list')) return list(ctx, input);
  const [part] = input.args;
  const from = textOf(input, 'from');
  if (part === undefined || from === undefined) {
    throw new AgentError('USAGE', 'Cannot update: want a part and --from FILE, or --list');
  }
  const [sha256, version] = [textOf(input, 'sha256'), textOf(input, 'version')];
  const order = {
    file: ctx.local.absolutePath(from),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(version === undefined ? {} : { version }),
    dryRun: hasFlag(input, 'dryRun'),
  };
  return finishUpdate(ctx, input, await ctx.client.updatePart(part, order, ctx.signal));
};

async function list(ctx: CommandContext, input: CommandInput): Promise<number> {
  const document = await ctx.client.parts(ctx.signal);
  if (hasFlag(input, 'json')) printJson(ctx, document);
  else printParts(ctx, document);
  return 0;
}
