import { readFileSync } from 'node:fs';
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { pause } from './launch.ts';

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
  /**
   * Microseconds for the first touch of a page of memory that rested for a second. Some hosts of virtual machines take resting
   * memory away, and then what comes after a rest costs as much as it touches.
   */
  readonly restedPageUs: number;
}

/** Describes this machine; takes a second. */
export async function describeMachine(nodeVersion: string): Promise<Machine> {
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
    restedPageUs: await restedPageUs(),
  };
}

async function restedPageUs(): Promise<number> {
  const pageBytes = 4_096;
  const pages = 2_000;
  const memory = Buffer.alloc(pages * pageBytes, 1);
  await pause(1_000);
  const startedMs = performance.now();
  let sum = 0;
  for (let at = 0; at < memory.length; at += pageBytes) sum += memory[at] ?? 0;
  // The sum is used, so that nobody leaves the reading out.
  return ((performance.now() - startedMs) * 1_000) / sum;
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? os.type();
  } catch {
    return os.type();
  }
}
