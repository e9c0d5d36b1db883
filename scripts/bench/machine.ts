import { readFileSync } from 'node:fs';
import os from 'node:os';

/** Where the figures were taken; they mean something only beside each other. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly kernel: string;
  readonly arch: string;
  readonly system: string;
  /** Version of the Node that runs the agent and the references written for Node. */
  readonly node: string;
  /** Load average of the last minute when the run began: above the number of cores the figures are doubtful. */
  readonly loadAtStart: number;
}

/** Describes this machine. */
export function describeMachine(nodeVersion: string): Machine {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model ?? 'unknown',
    cores: cpus.length,
    memoryMb: Math.round(os.totalmem() / 1024 / 1024),
    kernel: os.release(),
    arch: os.arch(),
    system: systemName(),
    node: nodeVersion,
    loadAtStart: os.loadavg()[0] ?? 0,
  };
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? os.type();
  } catch {
    return os.type();
  }
}
