import { type Op, type TinyArch, tinyProgram } from './tiny-program.ts';

/**
 * Listens to the kernel's news about links, addresses, rules, routes and forwarding (rtnetlink(7)) and about mounts of its
 * own namespace (proc(5): poll(2) on mountinfo), and says one byte for each; or tells its securebits as exit status.
 *
 * Why it exists: /proc shows no policy rules, busybox `ip` has no `monitor`, and the board has no other tool. Without it
 * every look would start a process, and every few seconds would be one; with it an idle board starts none and sleeps.
 */

/** What it says. */
export const netwatchWords = { ready: '+', network: '.', mounts: 'm' } as const;

/** RTNLGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV4_NETCONF (linux/rtnetlink.h), each the bit below its number. */
const groups = [1, 5, 7, 8, 9, 24].reduce((mask, group) => mask | (1 << (group - 1)), 0);

const file = Buffer.from('/proc/self/mountinfo\0', 'latin1');
const epollIn = 1;
const epollPri = 2;

/** sockaddr_nl {AF_NETLINK, pad, pid 0, groups}; two epoll_event; what is said; the path. */
const data = Buffer.concat([
  Buffer.from([16, 0, 0, 0, 0, 0, 0, 0]),
  uint32(groups),
  uint32(epollIn),
  Buffer.alloc(12),
  uint32(epollPri),
  Buffer.alloc(12),
  Buffer.from(netwatchWords.ready + netwatchWords.network + netwatchWords.mounts, 'latin1'),
  file,
]);
const [addressAt, networkEventAt, mountsEventAt, wordsAt] = [0, 12, 28, 44];
const fileAt = wordsAt + 3;

/** Numbers that no descriptor of ours has otherwise. */
const [network, mounts, queue] = [100, 101, 102];
const closeOnExec = 0x80000;

function say(word: number): Op {
  return { op: 'call', call: 'write', args: [1, { data: wordsAt + word }, 1] };
}

/** Keeps what the call before opened under a number of its own; without it the program is of no use. */
function keepAs(descriptor: number): readonly Op[] {
  return [
    { op: 'jump-if-negative', to: 'failed' },
    { op: 'call', call: 'dup3', args: ['result', descriptor, closeOnExec] },
  ];
}

const program: readonly Op[] = [
  { op: 'jump-if-arguments', to: 'securebits' },
  // PR_SET_PDEATHSIG, SIGKILL: it must not outlive the agent.
  { op: 'call', call: 'prctl', args: [1, 9] },
  // AF_NETLINK, SOCK_RAW, NETLINK_ROUTE
  { op: 'call', call: 'socket', args: [16, 3 | closeOnExec, 0] },
  ...keepAs(network),
  { op: 'call', call: 'bind', args: [network, { data: addressAt }, 12] },
  { op: 'jump-if-negative', to: 'failed' },
  // AT_FDCWD, O_RDONLY
  { op: 'call', call: 'openat', args: [-100, { data: fileAt }, closeOnExec] },
  ...keepAs(mounts),
  { op: 'call', call: 'epoll_create1', args: [closeOnExec] },
  ...keepAs(queue),
  // EPOLL_CTL_ADD
  { op: 'call', call: 'epoll_ctl', args: [queue, 1, network, { data: networkEventAt }] },
  { op: 'jump-if-negative', to: 'failed' },
  { op: 'call', call: 'epoll_ctl', args: [queue, 1, mounts, { data: mountsEventAt }] },
  { op: 'jump-if-negative', to: 'failed' },
  say(0),
  { op: 'label', name: 'next' },
  { op: 'call', call: 'epoll_pwait', args: [queue, 'stack', 1, -1, 0, 8] },
  { op: 'jump-if-negative', to: 'failed' },
  // MSG_TRUNC | MSG_DONTWAIT: without a buffer this takes one message off the queue. ENOBUFS (news was lost) is news as well.
  { op: 'call', call: 'recvfrom', args: [network, 0, 0, 0x60, 0, 0] },
  { op: 'jump-if-again', to: 'mounts' },
  say(1),
  { op: 'jump-if-negative', to: 'failed' },
  { op: 'jump', to: 'next' },
  // News of both may come at once, and then only the network is named: whoever hears of that looks at everything.
  { op: 'label', name: 'mounts' },
  say(2),
  { op: 'jump-if-negative', to: 'failed' },
  { op: 'jump', to: 'next' },
  { op: 'label', name: 'failed' },
  { op: 'call', call: 'exit', args: [1] },
  { op: 'label', name: 'securebits' },
  // PR_GET_SECUREBITS
  { op: 'call', call: 'prctl', args: [27, 0, 0, 0, 0] },
  { op: 'call', call: 'exit', args: ['result'] },
];

/** The whole static ELF file. */
export function netwatchProgram(arch: TinyArch): Uint8Array {
  return tinyProgram(arch, program, data);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
