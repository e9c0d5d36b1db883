import type { Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';

/** Command that asks the agent to do one thing with one unit and shows the state it is in then. */
export function unitVerb(verb: 'start' | 'stop' | 'restart'): Run {
  return async (ctx, input) => {
    const unit = await ctx.client.unit(verb, input.args[0] ?? '', ctx.signal);
    if (hasFlag(input, 'json')) printJson(ctx, unit);
    else
      ctx.out(
        `${unit.name}: ${unit.phase}${unit.reason === '' ? '' : ` (${unit.reason})`}, wanted ${unit.wanted}`,
      );
    return 0;
  };
}
