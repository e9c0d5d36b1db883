import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { end, launch } from '../launch.ts';
import type { UnitSet } from '../unit-set.ts';
import type { Running, Subject } from './subject.ts';

/** Debian's monit with its shortest cycle of 1 s, run from the folder where its package was unpacked. */
export function monit(root: string): Subject {
  return { name: 'monit', isCapturing: false, start: async (dir, units) => start(root, dir, units) };
}

async function start(root: string, dir: string, units: UnitSet): Promise<Running> {
  const program = path.join(root, 'usr/bin/monit');
  const config = path.join(dir, 'monitrc');
  const checks = units.names.map(
    (name) =>
      `check process ${name} with pidfile ${units.pidFile(name)}\n  start program = "/usr/bin/setsid -f ${units.script(name)}"`,
  );
  const text = `set daemon 1
set pidfile ${dir}/monit.pid
set idfile ${dir}/monit.id
set statefile ${dir}/monit.state
set httpd unixsocket ${dir}/monit.sock allow user:word
${checks.join('\n')}
`;
  writeFileSync(config, text, { mode: 0o600 });
  const daemon = launch(dir, [program, '-I', '-c', config]);
  const pid = daemon.pid ?? 0;
  return {
    supervisors: () => [pid],
    statusCommand: { argv: [program, '-c', config, 'status'] },
    stop: () => end(pid, 'SIGTERM'),
  };
}
