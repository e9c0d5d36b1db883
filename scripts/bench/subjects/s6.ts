import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { end, launch } from '../launch.ts';
import { childrenOf } from '../processes.ts';
import type { UnitSet } from '../unit-set.ts';
import { logFileBytes, logFiles } from './log-limits.ts';
import type { Running, Subject } from './subject.ts';

/** Debian's s6: s6-svscan with one s6-supervise a unit, and one s6-log where output is captured. */
export function s6(options: { readonly isCapturing: boolean }): Subject {
  return {
    name: options.isCapturing ? 's6-log' : 's6',
    isCapturing: options.isCapturing,
    start: async (dir, units) => start(dir, units, options.isCapturing),
  };
}

async function start(dir: string, units: UnitSet, isCapturing: boolean): Promise<Running> {
  const services = path.join(dir, 'service');
  const logDir = path.join(dir, 'log');
  for (const name of units.names) {
    const service = path.join(services, name);
    mkdirSync(service, { recursive: true });
    symlinkSync(units.script(name), path.join(service, 'run'));
    if (isCapturing) writeLogService(service, path.join(logDir, name));
  }
  const scanner = launch(dir, ['s6-svscan', services]);
  const pid = scanner.pid ?? 0;
  return {
    supervisors: () => {
      const supervises = childrenOf([pid]);
      const loggers = isCapturing
        ? childrenOf(supervises).filter((child) =>
            units.names.every((name) => units.latest(name).pid !== child),
          )
        : [];
      return [pid, ...supervises, ...loggers];
    },
    statusCommand: { argv: ['s6-svstat', path.join(services, units.names[0] ?? '')] },
    logDir,
    stop: async () => end(pid, 'SIGTERM'),
  };
}

function writeLogService(service: string, logDir: string): void {
  mkdirSync(path.join(service, 'log'));
  mkdirSync(logDir, { recursive: true });
  const script = `#!/bin/sh\nexec s6-log t s${logFileBytes} n${logFiles} ${logDir}\n`;
  writeFileSync(path.join(service, 'log/run'), script, { mode: 0o755 });
}
