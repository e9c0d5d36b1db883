import type { LogLine } from '../api/wire.ts';
import { AgentError } from '../core/agent-error.ts';
import type { CommandContext, Run } from './command.ts';
import { fieldsText } from './fields-text.ts';
import { countOf, hasFlag, instantOf, printJson, textOf } from './input.ts';
import type { Style } from './style.ts';
import { visible } from './visible.ts';

/** Most lines that the agent gives at once. */
const maxLines = 10_000;

/** Shows kept lines and, with --follow, new ones until Ctrl-C. */
export const run: Run = async (ctx, input) => {
  const unit = input.args[0] ?? textOf(input, 'unit');
  const since = instantOf(ctx, input, 'since');
  const grep = textOf(input, 'grep');
  const question = {
    n: countOf(input, 'lines', maxLines) ?? 100,
    ...(unit === undefined ? {} : { unit }),
    ...(since === undefined ? {} : { since }),
    ...(grep === undefined ? {} : { grep }),
  };
  const isJson = hasFlag(input, 'json');
  const show = (line: LogLine): void => (isJson ? printJson(ctx, line) : ctx.out(lineText(ctx, line)));
  if (hasFlag(input, 'follow')) {
    const reason = await ctx.client.followLogs(question, show, ctx.signal);
    throw new AgentError(
      'AGENT_UNREACHABLE',
      `Cannot follow any longer: ${reason}; start again with \`agentctl logs -f\``,
    );
  }
  const { lines, truncated } = await ctx.client.logs(question, ctx.signal);
  for (const line of lines) show(line);
  if (truncated) ctx.err('agentctl: older lines were left out; ask for fewer with -n, or use --grep');
  return 0;
};

function lineText({ style, time, isTerminal }: CommandContext, { atMs, stream, text: raw }: LogLine): string {
  const stamp = style.dim(time(atMs));
  const text = isTerminal ? visible(raw) : raw;
  if (stream === 'agent') return `${stamp} ${entryText(text, style)}`;
  return stream === 'err' ? `${stamp} ${style.warn('err')} ${text}` : `${stamp} ${text}`;
}

/** The agent writes one JSON object a line; people read `level event name=value`. Anything else stays as it is. */
function entryText(text: string, style: Style): string {
  const entry = parseEntry(text);
  if (entry === undefined) return text;
  const { at: _, level, event, ...fields } = entry;
  const paint = level === 'error' ? style.bad : level === 'warn' ? style.warn : style.dim;
  return `${paint(String(level).padEnd(5))} ${String(event)} ${fieldsText(fields)}`.trimEnd();
}

function parseEntry(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isEntry = typeof value === 'object' && value !== null && 'event' in value && 'level' in value;
    return isEntry ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
