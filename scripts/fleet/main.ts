// Puts a whole fleet before one broker and one cloud: the agent's real room of reports for every board, on a common clock.
// Usage: npm run fleet -- [--boards N[,N]…] [--json] [--strict]
import { parseArgs } from 'node:util';
import { noMosquitto } from '../../test/fakes/mosquitto.ts';
import { goalsOf, renderFleet } from './report.ts';
import { type FleetResult, runFleet } from './story.ts';

const { values } = parseArgs({
  options: {
    boards: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
  },
});
const counts = values.boards.split(',').map(Number);
if (counts.some((count) => !Number.isInteger(count) || count < 1)) {
  console.error(`fleet: --boards is "${values.boards}", want whole numbers such as 10,100,1000`);
  process.exit(2);
}
if (noMosquitto !== false) {
  console.error(`fleet: ${noMosquitto}`);
  process.exit(2);
}
const beganMs = performance.now();
const say = (text: string): void =>
  console.error(`fleet ${((performance.now() - beganMs) / 1_000).toFixed(0)} s: ${text}`);
const results: FleetResult[] = [];
for (const count of counts) {
  const result = await runFleet(count, say);
  results.push(result);
  // A large fleet takes its time: what the smaller ones showed is told at once.
  if (!values.json) console.log(renderFleet(result));
}
const missed = results.flatMap(goalsOf).filter(({ ok }) => !ok);
if (values.json) console.log(JSON.stringify({ ok: missed.length === 0, results }));
process.exitCode = values.strict && missed.length > 0 ? 1 : 0;
