import { errorTable, isAgentError, messageOf } from './core/agent-error.ts';
import { startedAnew } from './core/constants.ts';
import { createDaemon } from './daemon.ts';
import { Heartbeat } from './host/heartbeat.ts';
import { agentUsage, readPlaces } from './places.ts';

/** Exit code of a thrown value: the table's, or 70 for a bug. */
function exitCodeOf(error: unknown): number {
  return isAgentError(error) ? errorTable[error.code].exit : errorTable.BUG.exit;
}

/** Milliseconds for an orderly end. Whatever hangs then must not keep an agent that looks after nothing any more. */
const patienceMs = 15_000;

/** Milliseconds until the first sign of life. */
const heartbeatMs = 1_000;

async function run(): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(`${agentUsage}\n`);
  const over = new AbortController();
  const places = readPlaces(process.argv.slice(2));
  const daemon = await createDaemon(places, () => end(startedAnew));
  const end = (code: number): void => {
    over.abort(new DOMException('The agent was asked to stop', 'AbortError'));
    setTimeout(() => {
      console.error(`agent: it did not end in order within ${patienceMs} ms and ends all the same`);
      process.exit(code);
    }, patienceMs);
    daemon.stop().then(
      () => process.exit(code),
      (error: unknown) => {
        console.error(`agent: ${messageOf(error)}`);
        process.exit(exitCodeOf(error));
      },
    );
  };
  process.once('SIGTERM', () => end(0));
  process.once('SIGINT', () => end(0));
  // Terminals that go away and readers that close are no reason to leave a board alone.
  process.on('SIGHUP', () => undefined);
  // After the API answers as a rule, and never with the start: one that waits for a slow disk is no hang as long as this
  // thread turns. It says bye at the very end only: an agent that hangs while it stops is to be ended as well.
  setTimeout(() => {
    const heartbeat = new Heartbeat(`${places.home}/run/namespace`);
    process.once('exit', () => heartbeat.stop());
  }, heartbeatMs).unref();
  await daemon.start(over.signal);
  // Nothing else may be open, e.g. while the API socket cannot be made: the agent stays all the same.
  setInterval(() => undefined, 2 ** 30);
}

run().catch((error: unknown) => {
  console.error(`agent: ${messageOf(error)}`);
  process.exitCode = exitCodeOf(error);
});
