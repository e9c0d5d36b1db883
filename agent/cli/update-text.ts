import type { PartsDocument, PartView, SlotView, UpdateDocument } from '../api/wire.ts';
import { AgentError, isAgentError } from '../core/agent-error.ts';
import type { CommandContext, CommandInput } from './command.ts';
import { hasFlag, printJson } from './input.ts';
import { tableLines } from './table.ts';

/** Milliseconds between two looks at an agent that starts anew, and the longest wait for its verdict. */
const lookMs = 1_000;
const verdictMs = 1_800_000;

/** Writes how a change of a part went; answers no (1) where it did not stay. */
export async function finishUpdate(
  ctx: CommandContext,
  input: CommandInput,
  document: UpdateDocument,
): Promise<number> {
  const isRestarting = document.part === 'agent' && !document.dryRun && document.phase !== 'settled';
  if (isRestarting && !hasFlag(input, 'json'))
    ctx.err('agentctl: the agent starts anew; waiting for its verdict');
  const final = isRestarting ? await verdictOf(ctx, document) : document;
  if (hasFlag(input, 'json')) printJson(ctx, final);
  else print(ctx, final);
  return final.ok ? 0 : 1;
}

/** The agent that answered is gone by now; the next one, or the one before, says how it went. */
async function verdictOf(ctx: CommandContext, document: UpdateDocument): Promise<UpdateDocument> {
  const endMs = ctx.clock.nowMs() + verdictMs;
  while (ctx.clock.nowMs() < endMs) {
    await ctx.clock.sleep(lookMs, ctx.signal);
    const parts = await ctx.client.parts(ctx.signal).catch((error: unknown) => {
      if (isAgentError(error, 'AGENT_UNREACHABLE') || isAgentError(error, 'TIMED_OUT')) return undefined;
      throw error;
    });
    const part = parts?.parts.find((one) => one.part === document.part);
    if (part?.phase === 'settled') return concluded(document, part);
  }
  throw new AgentError(
    'TIMED_OUT',
    `Cannot see how the update of ${document.part} went: no verdict after ${verdictMs / 60_000} minutes; see \`agentctl update --list\``,
  );
}

function concluded(document: UpdateDocument, part: PartView): UpdateDocument {
  const ok = part.current.slot === document.to.slot;
  const { rejected } = part;
  const stayed = { reason: 'Confirmed', message: `${part.current.slot} has proved itself and stays` };
  const taken = {
    reason: rejected?.reason ?? 'TakenBack',
    message: rejected?.message ?? 'It was taken back',
  };
  return { ...document, ok, phase: part.phase, to: part.current, outcome: ok ? stayed : taken };
}

function print(
  ctx: CommandContext,
  { part, dryRun, ok, phase, from, to, notes, outcome }: UpdateDocument,
): void {
  const { style } = ctx;
  for (const note of notes) ctx.out(note);
  if (dryRun) ctx.out(`Would update ${part} from ${slotText(from)} to ${slotText(to)}; nothing was changed`);
  else if (ok && phase === 'settled')
    ctx.out(style.good(`${part} is ${slotText(to)} now; before: ${slotText(from)}`));
  else if (ok) ctx.out(`${part} is ${slotText(to)} and on trial: ${outcome.message}`);
  else ctx.out(style.bad(`${part} was taken back to ${slotText(to)}: ${outcome.reason}: ${outcome.message}`));
}

/** Every part with what is in use, what it can go back to, and what was taken back last. */
export function printParts(ctx: CommandContext, { parts }: PartsDocument): void {
  const rows = [['part', 'in use', 'before', 'state'], ...parts.map((part) => rowOf(ctx, part))];
  for (const line of tableLines(rows, ctx.columns)) ctx.out(line);
}

function rowOf(ctx: CommandContext, { part, phase, current, former, rejected }: PartView): string[] {
  const past =
    rejected === undefined
      ? ''
      : `; ${ctx.time(rejected.atMs)} ${rejected.slot} taken back: ${rejected.reason}: ${rejected.message}`;
  return [part, slotText(current), former === undefined ? '-' : slotText(former), `${phase}${past}`];
}

function slotText({ slot }: SlotView): string {
  return slot === 'image' ? "the image's" : slot;
}
