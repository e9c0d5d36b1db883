import fs from 'node:fs';
import type { ProcessFacts } from '../core/process.ts';

/** The parts of /proc/PID/stat that matter here. */
export interface StatLine {
  readonly pid: number;
  readonly name: string;
  readonly state: string;
  readonly parentPid: number;
  readonly startTicks: number;
}

/** Reads one stat line. The name stands in brackets and may itself hold brackets and spaces, so the last one counts. */
export function parseStat(text: string): StatLine | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const rest = text.slice(close + 2).split(' ');
  const pid = Number.parseInt(text, 10);
  const [state, parent] = rest;
  const startTicks = Number(rest[19]);
  if (!Number.isInteger(pid) || state === undefined || !Number.isFinite(startTicks)) return undefined;
  return { pid, name: text.slice(open + 1, close), state, parentPid: Number(parent), startTicks };
}

/** Text of a /proc file; undefined where the process or the file is gone. */
export function readProc(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Target of /proc/PID/exe; a program that was replaced on disk keeps its old name. */
export function readProgram(pid: number): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
  } catch {
    return undefined;
  }
}

/** Stat line of a process; undefined where there is none. */
export function readStat(pid: number): StatLine | undefined {
  const text = readProc(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

/**
 * Everything known about one process. Its command line is read when it is first asked for: it lies in the memory of the process,
 * and where that is held by a disk that hangs, whoever reads it hangs too (linux fs/proc/base.c get_mm_cmdline; access_remote_vm takes mmap_lock).
 */
export function readFacts(pid: number): ProcessFacts | undefined {
  const stat = readStat(pid);
  if (stat === undefined) return undefined;
  let argv: readonly string[] | undefined;
  return {
    ...stat,
    exe: readProgram(pid),
    get argv() {
      argv ??= (readProc(`/proc/${pid}/cmdline`) ?? '').split('\0').slice(0, -1);
      return argv;
    },
  };
}

/** Numeric names in /proc. */
export function listPids(): readonly number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** A few lines about a process that is about to be killed: why it hangs is often only visible here. */
export function describeProcess(pid: number): readonly string[] {
  const status = readProc(`/proc/${pid}/status`);
  if (status === undefined) return [];
  const wanted = /^(Name|State|Threads|VmRSS|SigQ|SigBlk|SigIgn)\s*:/;
  const lines = status.split('\n').filter((line) => wanted.test(line));
  const threads = waitingThreads(pid, 'DT').slice(0, 20);
  return [...lines.map((line) => line.replace('\t', ' ')), ...threads, describeDescriptors(pid)];
}

/** Threads of a process that are in one of these states, and where in the kernel. */
export function waitingThreads(pid: number, states: string): readonly string[] {
  return namesIn(`/proc/${pid}/task`).flatMap((thread) => {
    const state = parseStat(readProc(`/proc/${pid}/task/${thread}/stat`) ?? '')?.state ?? '-';
    if (!states.includes(state)) return [];
    return [`thread ${thread} in state ${state} at ${readProc(`/proc/${pid}/task/${thread}/wchan`) ?? '?'}`];
  });
}

function describeDescriptors(pid: number): string {
  return `open descriptors: ${namesIn(`/proc/${pid}/fd`).length}`;
}

function namesIn(directory: string): readonly string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}
