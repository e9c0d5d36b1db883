// What /proc tells of processes. Synchronous on purpose: a snapshot of several processes must be taken in one go.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Resident memory in bytes. Pss counts a page that n processes share as 1/n. */
export interface Memory {
  readonly rss: number;
  readonly pss: number;
}

/** Counters that only grow; the difference of two snapshots is what happened between. */
export interface Activity {
  /** Nanoseconds on a core, all threads, and of the children that were waited for (those to 10 ms). */
  readonly cpuNs: number;
  /** Times that a thread was put on a core again after it slept or was pushed off. */
  readonly switches: number;
  /** Bytes that went to storage. */
  readonly written: number;
  /** Page faults of children that ended: a child that ran at all has some. */
  readonly childFaults: number;
}

/** Memory of several processes together; one that has just ended has none. */
export function memoryOf(pids: readonly number[]): Memory {
  let rss = 0;
  let pss = 0;
  for (const pid of pids) {
    const rollup = unlessGone(() => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? '';
    rss += kilobytes(rollup, 'Rss') * 1024;
    pss += kilobytes(rollup, 'Pss') * 1024;
  }
  return { rss, pss };
}

/** Activity of several processes together; that of one that has just ended is its parent's. */
export function activityOf(pids: readonly number[]): Activity {
  const all = pids.map((pid) => unlessGone(() => activityOfOne(pid))).filter((one) => one !== undefined);
  const total = (key: keyof Activity): number => sum(all.map((one) => one[key]));
  return {
    cpuNs: total('cpuNs'),
    switches: total('switches'),
    written: total('written'),
    childFaults: total('childFaults'),
  };
}

function activityOfOne(pid: number): Activity {
  const { childFaults, childTicks } = statFields(pid);
  let cpuNs = childTicks * 10_000_000;
  let switches = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${task}`;
    cpuNs += Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]);
    switches += numbers(readFileSync(`${folder}/status`, 'utf8'), /ctxt_switches:\s+(\d+)/g);
  }
  const written = numbers(readFileSync(`/proc/${pid}/io`, 'utf8'), /^write_bytes: (\d+)/gm);
  return { cpuNs, switches, written, childFaults };
}

/** What happened between two snapshots. */
export function activityBetween(before: Activity, after: Activity): Activity {
  return {
    cpuNs: after.cpuNs - before.cpuNs,
    switches: after.switches - before.switches,
    written: after.written - before.written,
    childFaults: after.childFaults - before.childFaults,
  };
}

/** The children that each of these processes has now. */
export function childrenOf(pids: readonly number[]): readonly number[] {
  return pids.flatMap((pid) => {
    try {
      return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
        readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
          .trim()
          .split(' ')
          .filter(Boolean)
          .map(Number),
      );
    } catch {
      return [];
    }
  });
}

/** Whether the process still runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  try {
    return statFields(pid).state !== 'Z';
  } catch {
    return false;
  }
}

/** Processes whose working directory, command line or environment names the folder. */
export function processesUsing(folder: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => isRunning(pid) && traces(pid).some((trace) => trace.includes(folder)));
}

function traces(pid: number): readonly string[] {
  const look = (read: () => string): string => {
    try {
      return read();
    } catch {
      return '';
    }
  };
  return [
    look(() => readlinkSync(`/proc/${pid}/cwd`)),
    look(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
    look(() => readFileSync(`/proc/${pid}/environ`, 'utf8')),
  ];
}

/** Fields of /proc/PID/stat behind the name, which may itself hold blanks and brackets (proc(5)). */
function statFields(pid: number): { state: string; childFaults: number; childTicks: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0]!,
    childFaults: Number(fields[8]),
    childTicks: Number(fields[13]) + Number(fields[14]),
  };
}

function kilobytes(text: string, key: string): number {
  return numbers(text, new RegExp(`^${key}:\\s+(\\d+) kB`, 'gm'));
}

/** The sum of what the pattern finds. */
function numbers(text: string, pattern: RegExp): number {
  return sum([...text.matchAll(pattern)].map(([, number]) => Number(number)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Undefined where the process has ended before it was looked at, or meanwhile. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ESRCH'].includes(code)) return undefined;
    throw error;
  }
}
