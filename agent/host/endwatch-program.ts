import { type Op, type TinyArch, tinyProgram } from './tiny-program.ts';

/** EPOLLIN and room for the rest of an epoll_event; the byte that says that it watches. */
const data = Buffer.from([1, 0, 0, 0, ...Array<number>(12).fill(0), 0x2b]);
const [eventAt, readyAt] = [0, 16];
const [watched, queue] = [100, 101];
const closeOnExec = 0x80000;

/**
 * Sleeps until a process has ended that is no child of anybody here (pidfd_open(2), Linux 5.3), and ends then. On an older
 * kernel it ends at once and says nothing.
 */
export function endwatchProgram(arch: TinyArch, pid: number): Uint8Array {
  const program: readonly Op[] = [
    // PR_SET_PDEATHSIG, SIGKILL: it must not outlive the agent.
    { op: 'call', call: 'prctl', args: [1, 9] },
    { op: 'call', call: 'pidfd_open', args: [pid, 0] },
    { op: 'jump-if-negative', to: 'failed' },
    { op: 'call', call: 'dup3', args: ['result', watched, closeOnExec] },
    { op: 'call', call: 'epoll_create1', args: [closeOnExec] },
    { op: 'jump-if-negative', to: 'failed' },
    { op: 'call', call: 'dup3', args: ['result', queue, closeOnExec] },
    // EPOLL_CTL_ADD
    { op: 'call', call: 'epoll_ctl', args: [queue, 1, watched, { data: eventAt }] },
    { op: 'jump-if-negative', to: 'failed' },
    { op: 'call', call: 'write', args: [1, { data: readyAt }, 1] },
    { op: 'call', call: 'epoll_pwait', args: [queue, 'stack', 1, -1, 0, 8] },
    { op: 'call', call: 'exit', args: [0] },
    { op: 'label', name: 'failed' },
    { op: 'call', call: 'exit', args: [1] },
  ];
  return tinyProgram(arch, program, data);
}
