import type { JoinDocument } from '../api/wire.ts';
import { AgentError } from '../core/agent-error.ts';
import type { CommandContext, CommandInput, Run } from './command.ts';
import { countOf, hasFlag, listOf, printJson, textOf } from './input.ts';
import { printSteps } from './steps-text.ts';
import { type Cell, tableLines } from './table.ts';

const maxPort = 65_535;

/** Joins, or says everything that stands in the way. */
export const run: Run = async (ctx, input) => {
  const document = await ctx.client.join(await orderOf(ctx, input), ctx.signal);
  if (hasFlag(input, 'json')) printJson(ctx, document);
  else print(ctx, document);
  const isBlocked = document.problems.some(({ severity }) => severity === 'error');
  return document.joined || (document.dryRun && !isBlocked) ? 0 : 1;
};

/** Only what was given: the rest of an earlier join stays. */
async function orderOf(ctx: CommandContext, input: CommandInput): Promise<object> {
  const labels = listOf(input, 'label').map(parseLabel);
  const taints = listOf(input, 'taint');
  const order = {
    cloudcore: textOf(input, 'cloudcore'),
    certPort: countOf(input, 'certPort', maxPort),
    token: await tokenOf(ctx, input),
    caHash: textOf(input, 'caHash'),
    nodeName: textOf(input, 'nodeName'),
    labels: labels.length === 0 ? undefined : Object.fromEntries(labels),
    taints: taints.length === 0 ? undefined : taints,
    runtime: textOf(input, 'runtime'),
    criEndpoint: textOf(input, 'criEndpoint'),
    cgroupDriver: textOf(input, 'cgroupDriver'),
    pauseImage: textOf(input, 'pauseImage'),
    kubeedge: textOf(input, 'kubeedge'),
    mqtt: textOf(input, 'mqtt'),
    mqttServer: textOf(input, 'mqttServer'),
    edgeStream: switchOf(input, 'edgeStream'),
    metaServer: switchOf(input, 'metaServer'),
    serviceBus: switchOf(input, 'serviceBus'),
    takeName: hasFlag(input, 'takeName') || undefined,
    dryRun: hasFlag(input, 'dryRun') || undefined,
  };
  return Object.fromEntries(Object.entries(order).filter(([, value]) => value !== undefined));
}

async function tokenOf(ctx: CommandContext, input: CommandInput): Promise<string | undefined> {
  const token = textOf(input, 'token');
  const file = textOf(input, 'tokenFile');
  if (token !== undefined && file !== undefined) {
    throw new AgentError('USAGE', 'Cannot join: --token and --token-file are both given, want one of them');
  }
  return file === undefined ? token : (await ctx.local.readFile(file)).trim();
}

function parseLabel(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  throw new AgentError('USAGE', `Cannot use --label "${text}": want KEY=VALUE`);
}

function switchOf(input: CommandInput, name: string): boolean | undefined {
  const text = textOf(input, name);
  return text === undefined ? undefined : text === 'on';
}

function print(ctx: CommandContext, document: JoinDocument): void {
  const { style, columns } = ctx;
  const rows = document.problems.map(({ severity, reason, message }): (Cell | string)[] => [
    { text: severity, paint: severity === 'error' ? style.bad : style.warn },
    `${reason}: ${message}`,
  ]);
  for (const line of tableLines(rows, columns)) ctx.out(line);
  printSteps(ctx, document.steps);
  if (document.kept.length > 0) ctx.out(`Kept as the operator set them: ${document.kept.join(', ')}`);
  ctx.out(verdict(document));
}

function verdict({
  joined,
  dryRun,
  node,
  cloud,
  kubeedge,
  runtime,
  outcome,
  problems,
}: JoinDocument): string {
  const what = [
    node,
    cloud && `at ${cloud}`,
    kubeedge && `with edgecore ${kubeedge}`,
    runtime && `on ${runtime}`,
  ]
    .filter(Boolean)
    .join(' ');
  if (joined) return `Joined as ${what}`;
  if (problems.some(({ severity }) => severity === 'error')) return 'Not joined: nothing was changed';
  if (dryRun) return `Would join as ${what}; nothing was changed`;
  return outcome === undefined ? 'Not joined' : `Not joined yet: ${outcome.reason}: ${outcome.message}`;
}
