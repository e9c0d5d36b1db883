/** Something that was started on the board. */
export interface Started {
  readonly kind: 'process' | 'thread';
  /** Its program, or its name where it runs its parent's. */
  readonly what: string;
  /** Name of whoever started it. */
  readonly by: string;
  /** Seconds since the board's boot. */
  readonly atS: number;
}

/** Events of the kernel's trace that `readStarted` needs, below `events` of tracefs. */
export const startEvents = ['task/task_newtask', 'task/task_rename', 'sched/sched_process_exec'] as const;

/** A line of the trace: who, when, which event, and what it tells. */
const eventLine = /^\s*\S.*?-(\d+)\s+\[\d+\]\s+\S+\s+([\d.]+): \w+: (.*)$/;
/** Facts of the events: a new task has the name of its parent until it is renamed or runs a program. */
const newTask = /^pid=(\d+) comm=(.*) clone_flags=([0-9a-f]+) /;
const renamed = /^pid=(?<pid>\d+) oldcomm=.* newcomm=(?<what>.*) oom_score_adj=/;
const executed = /^filename=(?<what>.*) pid=(?<pid>\d+) /;
const cloneThread = 0x1_0000;

/** Reads the kernel's trace; `own` is what processes of that name started and all below, `others` the rest. */
export function readStarted(
  trace: string,
  ownName: string,
): { readonly own: readonly Started[]; readonly others: readonly Started[] } {
  const all = new Map<string, Started>();
  const own = new Set<string>();
  for (const text of trace.split('\n')) {
    const [, parent = '', at, facts = ''] = eventLine.exec(text) ?? [];
    const [, pid = '', by, flags = ''] = newTask.exec(facts) ?? [];
    if (by === undefined) {
      rename(all, facts);
      continue;
    }
    if (by === ownName || own.has(parent)) own.add(pid);
    all.set(pid, { kind: kindOf(by, flags), what: by, by, atS: Number(at) });
  }
  const ofOwn = (isOwn: boolean): readonly Started[] =>
    [...all].filter(([pid]) => own.has(pid) === isOwn).map(([, one]) => one);
  return { own: ofOwn(true), others: ofOwn(false) };
}

/** Follows what became of something that was started. */
function rename(all: Map<string, Started>, facts: string): void {
  const { pid = '', what = '' } = (renamed.exec(facts) ?? executed.exec(facts))?.groups ?? {};
  const known = all.get(pid);
  if (known !== undefined) all.set(pid, { ...known, what });
}

/** The kernel's own threads do not share the group of their parent. */
function kindOf(by: string, flags: string): Started['kind'] {
  const isThread = by === 'kthreadd' || (Number.parseInt(flags, 16) & cloneThread) !== 0;
  return isThread ? 'thread' : 'process';
}

/** One line for each program and starter: how many, and when. */
export function startedText(started: readonly Started[]): readonly string[] {
  const times = new Map<string, number[]>();
  for (const { kind, what, by, atS } of started) {
    const key = `${kind} ${what}, started by ${by}`;
    times.set(key, [...(times.get(key) ?? []), atS]);
  }
  return [...times].map(
    ([key, at]) => `${at.length} × ${key}, ${at.map((one) => one.toFixed(1)).join(', ')} s after boot`,
  );
}
