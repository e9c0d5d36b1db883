import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { end, launch } from '../launch.ts';
import type { UnitSet } from '../unit-set.ts';
import { logFileBytes, logFiles } from './log-limits.ts';
import type { Running, Subject } from './subject.ts';

/** Debian's supervisor (Python), run from the folder where its package was unpacked. */
export function supervisord(root: string): Subject {
  return { name: 'supervisord', isCapturing: true, start: async (dir, units) => start(root, dir, units) };
}

async function start(root: string, dir: string, units: UnitSet): Promise<Running> {
  const config = path.join(dir, 'supervisord.conf');
  const socket = path.join(dir, 'supervisor.sock');
  const logDir = path.join(dir, 'log');
  mkdirSync(logDir, { recursive: true });
  writeFileSync(config, configText(dir, socket, logDir, units));
  const env = { PYTHONPATH: path.join(root, 'usr/lib/python3/dist-packages') };
  const daemon = launch(dir, ['/usr/bin/python3', '-m', 'supervisor.supervisord', '-n', '-c', config], {
    env,
  });
  const pid = daemon.pid ?? 0;
  return {
    supervisors: () => [pid],
    statusCommand: {
      argv: ['/usr/bin/python3', '-m', 'supervisor.supervisorctl', '-c', config, 'status'],
      env,
    },
    logDir,
    stop: async () => end(pid, 'SIGTERM', 15_000),
  };
}

function configText(dir: string, socket: string, logDir: string, units: UnitSet): string {
  const programs = units.names.map((name) =>
    [
      `[program:${name}]`,
      `command=${units.script(name)}`,
      'autorestart=true',
      'redirect_stderr=true',
      `stdout_logfile=${path.join(logDir, name)}`,
      `stdout_logfile_maxbytes=${logFileBytes}`,
      `stdout_logfile_backups=${logFiles - 1}`,
    ].join('\n'),
  );
  return `[supervisord]
nodaemon=true
user=root
logfile=${path.join(dir, 'supervisord.log')}
pidfile=${path.join(dir, 'supervisord.pid')}
[unix_http_server]
file=${socket}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${socket}
${programs.join('\n')}
`;
}
