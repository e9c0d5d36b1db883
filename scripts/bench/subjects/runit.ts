import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { end, launch } from '../launch.ts';
import { childrenOf } from '../processes.ts';
import type { UnitSet } from '../unit-set.ts';
import { logFileBytes, logFiles } from './log-limits.ts';
import type { Running, Subject } from './subject.ts';

/** Debian's runit: runsvdir with one runsv a unit, and one svlogd where output is captured. */
export function runit(options: { readonly isCapturing: boolean }): Subject {
  return {
    name: options.isCapturing ? 'svlogd' : 'runit',
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
  const first = units.names[0] ?? '';
  const scanner = launch(dir, ['runsvdir', services]);
  const pid = scanner.pid ?? 0;
  return {
    supervisors: () => {
      const runsvs = childrenOf([pid]);
      const loggers = isCapturing ? childrenOf(runsvs).filter((child) => !isUnit(units, child)) : [];
      return [pid, ...runsvs, ...loggers];
    },
    statusCommand: { argv: ['sv', 'status', path.join(services, first)] },
    logDir,
    stop: async () => {
      // HUP makes runsvdir pass TERM on to each runsv, which ends its unit before itself.
      await end(pid, 'SIGHUP');
    },
  };
}

function writeLogService(service: string, logDir: string): void {
  mkdirSync(path.join(service, 'log'));
  mkdirSync(logDir, { recursive: true });
  writeFileSync(path.join(logDir, 'config'), `s${logFileBytes}\nn${logFiles}\n`);
  const script = `#!/bin/sh\nexec svlogd -tt ${logDir}\n`;
  writeFileSync(path.join(service, 'log/run'), script, { mode: 0o755 });
}

function isUnit(units: UnitSet, pid: number): boolean {
  return units.names.some((name) => units.latest(name).pid === pid);
}
