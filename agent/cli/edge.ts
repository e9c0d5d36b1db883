import type { Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';
import { tableLines } from './table.ts';

/** Shows the cluster that the board has joined; answers no (1) where there is none. */
export const run: Run = async (ctx, input) => {
  const document = await ctx.client.edge(ctx.signal);
  const { joined, node, cloud, kubeedge, runtime, joinedAtMs, certificate } = document;
  if (hasFlag(input, 'json')) printJson(ctx, document);
  else if (!joined) ctx.out('Not joined; join a cluster with `agentctl join`');
  else {
    const rows = [
      ['node', node ?? ''],
      ['cloud', cloud ?? ''],
      ['edgecore', kubeedge ?? 'release not known'],
      ['runtime', runtime ?? ''],
      ['joined', joinedAtMs === undefined ? '' : ctx.time(joinedAtMs)],
      ...(certificate === undefined
        ? []
        : [['certificate', `${certificate.reason}: good until ${ctx.time(certificate.notAfterMs)}`]]),
    ];
    for (const line of tableLines(rows, ctx.columns)) ctx.out(line);
  }
  return joined ? 0 : 1;
};
