import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One process as /proc shows it. */
export interface Proc {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly state: string;
  readonly argv: readonly string[];
}

/** All living processes of this pid namespace; zombies are not among them. */
export function processes(): readonly Proc[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => readProcess(Number(entry)))
    .filter((found) => found !== undefined);
}

function readProcess(pid: number): Proc | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const close = stat.lastIndexOf(')');
    const [state = 'X', parent = '0'] = stat.slice(close + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    return { pid, parent: Number(parent), name: stat.slice(stat.indexOf('(') + 1, close), state, argv };
  } catch {
    return undefined;
  }
}

/** Size of a process: resident bytes and open descriptors; undefined where it is gone. */
export function sizeOf(pid: number): { readonly bytes: number; readonly descriptors: number } | undefined {
  try {
    const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return { bytes: Number(kibibytes ?? 0) * 1_024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** What each descriptor of a process leads to, counted by kind, for the report of a leak. */
export function descriptorKinds(pid: number): Readonly<Record<string, number>> {
  const kinds: Record<string, number> = {};
  try {
    for (const entry of readdirSync(`/proc/${pid}/fd`)) {
      const target = readlinkSync(`/proc/${pid}/fd/${entry}`)
        .replace(/\[\d+\]$/, '')
        .replace(/^\/proc\/\d+/, '/proc/N');
      kinds[target] = (kinds[target] ?? 0) + 1;
    }
  } catch {
    // It is gone.
  }
  return kinds;
}

/** Sends a signal; false where there is no such process any more. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
