import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { end, runToEnd } from '../launch.ts';
import type { UnitSet } from '../unit-set.ts';
import type { Running, Subject } from './subject.ts';

const program = path.resolve('node_modules/pm2/bin/pm2');

/** pm2 from npm; its daemon is started by the first command, by the same Node as the agent. */
export function pm2(node: string): Subject {
  return { name: 'pm2', isCapturing: true, start: async (dir, units) => start(node, dir, units) };
}

async function start(node: string, dir: string, units: UnitSet): Promise<Running> {
  const home = path.join(dir, 'pm2');
  const logDir = path.join(dir, 'log');
  mkdirSync(home, { recursive: true });
  mkdirSync(logDir, { recursive: true });
  const apps = units.names.map((name) => ({
    name,
    script: units.script(name),
    interpreter: 'none',
    time: true,
    merge_logs: true,
    out_file: path.join(logDir, name),
    error_file: path.join(logDir, `${name}.err`),
  }));
  const config = path.join(dir, 'ecosystem.config.json');
  writeFileSync(config, JSON.stringify({ apps }));
  const env = {
    PM2_HOME: home,
    PM2_DISABLE_VERSION_CHECK: 'true',
    PATH: `${path.dirname(node)}:${process.env['PATH'] ?? ''}`,
  };
  const { status, text } = await runToEnd([node, program, 'start', config], { env });
  if (status !== 0) throw new Error(`Cannot start pm2: status ${status}: ${text}`);
  const pid = Number(readFileSync(path.join(home, 'pm2.pid'), 'utf8'));
  return {
    supervisors: () => [pid],
    statusCommand: { argv: [node, program, 'jlist'], env },
    logDir,
    stop: async () => {
      await runToEnd([node, program, 'kill'], { env });
      await end(pid, 'SIGTERM');
    },
  };
}
