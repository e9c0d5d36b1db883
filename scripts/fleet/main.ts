// Puts a whole fleet before one broker and one cloud: the agent's real room of reports for every board, on a common clock.
import { AgentError } from '../../agent/core/agent-error.ts';
import { noMosquitto } from '../../test/fakes/mosquitto.ts';
import { newProgram, runHere } from '../terminal/program.ts';
import { goalsOf, renderFleet } from './report.ts';
import { type FleetResult, runFleet } from './story.ts';

const examples = `
Examples:
  npm run fleet -- --boards 10,100,1000
  npm run fleet -- --boards 100 --json --strict

Exit code: 0 done, 1 with --strict: a goal was missed, 2 wrong usage or no mosquitto.`;

interface Options {
  readonly boards: readonly number[];
  readonly json?: true;
  readonly strict?: true;
}

function countsOf(text: string): readonly number[] {
  const counts = text.split(',').map(Number);
  if (counts.every((count) => Number.isInteger(count) && count > 0)) return counts;
  throw new AgentError('USAGE', `Cannot use --boards "${text}": want whole numbers such as 10,100,1000`);
}

await runHere((terminal, finish) =>
  newProgram('fleet', 'Puts fleets of boards before one broker and one cloud, on a fast clock.', terminal)
    .option('--boards <n,n>', 'sizes of the fleets, one after the other', countsOf, [100])
    .option('--json', 'print the results for programs')
    .option('--strict', 'exit with 1 where a goal was missed')
    .addHelpText('after', examples)
    .action(async ({ boards, json, strict }: Options) => {
      if (noMosquitto !== false) throw new AgentError('USAGE', `Cannot start the fleet: ${noMosquitto}`);
      const beganMs = performance.now();
      const say = (text: string): void =>
        terminal.err(`fleet ${((performance.now() - beganMs) / 1_000).toFixed(0)} s: ${text}`);
      const results: FleetResult[] = [];
      for (const count of boards) {
        const result = await runFleet(count, say);
        results.push(result);
        // A large fleet takes its time: what the smaller ones showed is told at once.
        if (json !== true) terminal.out(renderFleet(result));
      }
      const missed = results.flatMap(goalsOf).filter(({ ok }) => !ok);
      if (json === true) terminal.out(JSON.stringify({ ok: missed.length === 0, results }));
      finish(strict === true && missed.length > 0 ? 1 : 0);
    }),
);
