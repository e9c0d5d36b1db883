import { resolve } from 'node:path';
import { AgentClient } from '../api/client.ts';
import { errnoOf, errorTable, messageOf } from '../core/agent-error.ts';
import { homeDir } from '../core/constants.ts';
import { localTime, parseInstant } from '../host/calendar.ts';
import { processAgeMs } from '../host/process-age.ts';
import { SystemClock } from '../host/system-clock.ts';
import { UnixClient } from '../host/unix-client.ts';
import type { CommandContext, LocalTools } from './command.ts';
import { runProgram } from './program.ts';
import { chooseStyle } from './style.ts';

/** What a command can do by itself; every part is loaded when it is first used. */
const local: LocalTools = {
  async readFile(path) {
    const { readTextFile } = await import('../host/text-file.ts');
    return readTextFile(path);
  },
  absolutePath: (path) => resolve(path),
  ageMs: () => processAgeMs(),
  async checkConfig(text) {
    const { parseConfig } = await import('../config/parse.ts');
    const result = parseConfig(text);
    return result.ok ? [] : result.problems;
  },
  async configKeys() {
    const [{ keys }, { allowed }, { appliesText }] = await Promise.all([
      import('../config/keys.ts'),
      import('../config/allowed.ts'),
      import('../config/reference.ts'),
    ]);
    return Object.entries(keys).map(([key, row]) => ({
      key,
      type: row.type,
      allowed: allowed(row),
      default: row.default,
      applies: row.applies,
      needs: appliesText[row.applies],
      help: row.help,
    }));
  },
  async defaultConfigFile() {
    const { defaultFile } = await import('../config/reference.ts');
    return defaultFile();
  },
  async serveDashboard(page, port, source) {
    const { DashboardServer } = await import('../host/dashboard-server.ts');
    const server = new DashboardServer(page, source);
    return { address: await server.start(port), stop: () => server.stop() };
  },
  async doctor(signal) {
    const { localDoctor } = await import('../local-doctor.ts');
    return localDoctor(signal);
  },
  async plan(signal) {
    const { localPlan } = await import('../local-plan.ts');
    return localPlan(signal);
  },
  async supportBundle(order, signal) {
    const { writeSupportBundle } = await import('../support-bundle.ts');
    return writeSupportBundle(order, signal);
  },
};

/** Serial consoles and some shells over hdc give their width as 0. */
const terminalColumns = process.stdout.columns || 80;

function contextFor(socketPath: string): CommandContext {
  const { stdout, stderr, env } = process;
  const isTerminal = stdout.isTTY === true;
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  process.once('SIGTERM', () => interrupt.abort());
  return {
    client: new AgentClient(new UnixClient(socketPath)),
    clock: new SystemClock(),
    local,
    out: (line) => void stdout.write(`${line}\n`),
    err: (line) => void stderr.write(`${line}\n`),
    style: chooseStyle(isTerminal, { NO_COLOR: env['NO_COLOR'], TERM: env['TERM'] }),
    columns: isTerminal ? terminalColumns : Number.POSITIVE_INFINITY,
    isTerminal,
    time: localTime,
    instant: parseInstant,
    signal: interrupt.signal,
    version: __VERSION__,
  };
}

/** A bug: runProgram never rejects. */
function thrown(error: unknown): void {
  process.stderr.write(`agentctl: ${messageOf(error)}\n`);
  process.exitCode = 70;
}

// A secret among the arguments is taken out of the process list as soon as the program runs.
if (process.argv.some((argument) => argument.startsWith('--token'))) process.title = 'agentctl';

// A reader that has gone (agentctl logs | head) ends the program quietly; a full disk below a redirection does not.
process.stdout.on('error', (error) => {
  if (errnoOf(error) === 'EPIPE') process.exit(0);
  const text = `agentctl: Cannot write the output: ${messageOf(error)}; make room, or write it elsewhere\n`;
  process.stderr.write(text);
  process.exit(errorTable.FILE_FAILED.exit);
});

runProgram(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  version: __VERSION__,
  columns: terminalColumns,
  defaultSocket: `${homeDir}/run/agent.sock`,
  contextFor,
}).then((code) => {
  process.exitCode = code;
}, thrown);
