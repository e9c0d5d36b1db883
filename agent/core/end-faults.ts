import type { Ended } from './process.ts';
import type { Fault } from './unit-spec.ts';

/** A symptom in the last lines and what it means. `$1` in the message stands for the first group of the pattern. */
export interface Symptom {
  readonly pattern: RegExp;
  readonly reason: string;
  readonly message: string;
  readonly isPermanent?: boolean;
}

/** Symptoms that any program shows. */
const common: readonly Symptom[] = [
  {
    pattern: /no space left on device/i,
    reason: 'DiskFull',
    message: 'The disk is full; free space on /data, for containers with `docker system prune`',
  },
  {
    pattern: /read-only file system/i,
    reason: 'ReadOnlyFileSystem',
    message:
      'It wants to write to a read-only file system; see `agentctl plan` and whether /data was remounted',
  },
  {
    pattern: /too many open files/i,
    reason: 'TooManyFiles',
    message: 'It ran out of file descriptors; raise the limit in launch.sh (ulimit -n)',
  },
  {
    pattern: /runtime: out of memory|cannot allocate memory/i,
    reason: 'OutOfMemory',
    message: 'It could not get memory; stop containers or give them limits',
  },
  {
    pattern: /address already in use/i,
    reason: 'AddressInUse',
    message: 'Another program holds its address; stop that program',
  },
];

/** Signals that mean that the program itself is broken. */
const crashes = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP', 'SIGSYS']);
/** errno words of a refused start that no retry cures. */
const permanentErrnos = new Set(['ENOENT', 'EACCES', 'ENOEXEC', 'ENOTDIR', 'ELOOP', 'EPERM']);

/** Names the fault behind an end: the first symptom found in the lines, newest line first, else what the end itself says. */
export function explainEnd(ended: Ended, lines: readonly string[], symptoms: readonly Symptom[]): Fault {
  if (ended.how === 'spawn-failed') return spawnFault(ended.errno);
  // Nobody ends by SIGKILL for what it printed.
  if (ended.how === 'signalled' && ended.signal === 'SIGKILL') return plainFault(ended, lines);
  return findSymptom(lines, [...symptoms, ...common]) ?? plainFault(ended, lines);
}

/** The first symptom of the table that any of the lines shows; the newest such line counts. */
export function findSymptom(lines: readonly string[], symptoms: readonly Symptom[]): Fault | undefined {
  for (const { pattern, reason, message, isPermanent } of symptoms) {
    const match = lines.map((line) => pattern.exec(line)).findLast((found) => found !== null);
    if (match === undefined || match === null) continue;
    return { reason, message: message.replace('$1', match[1] ?? ''), isPermanent: isPermanent ?? false };
  }
  return undefined;
}

function spawnFault(errno: string): Fault {
  const message = `The kernel refused to start it: ${errno}; check the program file, its mode and its SELinux label`;
  return { reason: 'SpawnFailed', message, isPermanent: permanentErrnos.has(errno) };
}

function plainFault(ended: Exclude<Ended, { how: 'spawn-failed' }>, lines: readonly string[]): Fault {
  // A closing bracket or a rule says nothing.
  const last = lines.findLast((line) => /[A-Za-z]{3}/.test(line));
  const quote = last === undefined ? '' : `: ${last.slice(0, 200)}`;
  if (ended.how === 'unknown') {
    const message = `It ended while it was not our child, so its exit status is unknown${quote}`;
    return { reason: 'Ended', message, isPermanent: false };
  }
  if (ended.how === 'exited') {
    const isPanic = lines.some((line) => /^(panic|fatal error): /.test(line));
    const reason = isPanic ? 'Crashed' : 'Ended';
    return { reason, message: `It exited with status ${ended.code}${quote}`, isPermanent: false };
  }
  const { signal } = ended;
  if (signal === 'SIGKILL') {
    const message = 'It was killed with SIGKILL, by the out-of-memory killer or by hand; see the kernel log';
    return { reason: 'Killed', message, isPermanent: false };
  }
  const reason = crashes.has(signal) ? 'Crashed' : 'Signalled';
  return { reason, message: `It was ended by ${signal}${quote}`, isPermanent: false };
}
