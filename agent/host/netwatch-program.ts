/**
 * A program of some 400 bytes that Node cannot be: it listens to the kernel's news about links, addresses, routes and
 * rules of IPv4 (rtnetlink(7)) and writes one byte for each, or tells its securebits as exit status.
 *
 * Why it exists: Node opens no netlink socket, /proc shows no policy rules, busybox `ip` has no `monitor`, and the board
 * has no other tool. Without it every look would start a process; with it an idle board starts none.
 */

/** Architectures that it can be made for, by Node's word. */
export type NetwatchArch = 'arm64' | 'x64';

/** One instruction of the tiny language below. Arguments are numbers, the kept descriptor, or the address of data. */
type Op =
  | { readonly op: 'label'; readonly name: string }
  /** Goes on at the label unless the program was started without arguments. */
  | { readonly op: 'jump-if-arguments'; readonly to: string }
  | { readonly op: 'call'; readonly call: Call; readonly args: readonly Arg[] }
  /** Keeps the result of the last call as `fd`. */
  | { readonly op: 'keep' }
  | { readonly op: 'jump-if-negative'; readonly to: string }
  | { readonly op: 'jump'; readonly to: string };

type Arg = number | 'fd' | 'result' | { readonly data: number };
type Call = 'socket' | 'bind' | 'recvfrom' | 'write' | 'prctl' | 'exit';

/** Turns instructions into machine code; addresses of labels are filled in afterwards. */
interface Machine {
  readonly elfMachine: number;
  readonly calls: Readonly<Record<Call, number>>;
  /** Code of one instruction at `at`; `target` gives the address of a label (0 while sizes are measured). */
  encode(op: Op, at: number, target: (label: string) => number, data: number): readonly number[];
}

const baseAddress = 0x400000;
const headerBytes = 64 + 2 * 56;
/** RTMGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE (linux/rtnetlink.h). */
const groups = 0x1 | 0x10 | 0x40 | 0x80;
/** sockaddr_nl {AF_NETLINK, pad, pid 0, groups}, then the two bytes that are written. */
const data = Buffer.from([16, 0, 0, 0, 0, 0, 0, 0, groups, 0, 0, 0, 0x2b, 0x2e]);
const [addressAt, readyAt, newsAt] = [0, 12, 13];

const program: readonly Op[] = [
  { op: 'jump-if-arguments', to: 'securebits' },
  // PR_SET_PDEATHSIG, SIGKILL: it must not outlive the agent.
  { op: 'call', call: 'prctl', args: [1, 9] },
  // AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE
  { op: 'call', call: 'socket', args: [16, 0x80003, 0] },
  { op: 'jump-if-negative', to: 'failed' },
  { op: 'keep' },
  { op: 'call', call: 'bind', args: ['fd', { data: addressAt }, 12] },
  { op: 'jump-if-negative', to: 'failed' },
  { op: 'call', call: 'write', args: [1, { data: readyAt }, 1] },
  { op: 'label', name: 'next' },
  // MSG_TRUNC without a buffer takes one message off the queue. ENOBUFS (news was lost) is news as well.
  { op: 'call', call: 'recvfrom', args: ['fd', 0, 0, 0x20, 0, 0] },
  { op: 'call', call: 'write', args: [1, { data: newsAt }, 1] },
  { op: 'jump-if-negative', to: 'failed' },
  { op: 'jump', to: 'next' },
  { op: 'label', name: 'failed' },
  { op: 'call', call: 'exit', args: [1] },
  { op: 'label', name: 'securebits' },
  // PR_GET_SECUREBITS
  { op: 'call', call: 'prctl', args: [27, 0, 0, 0, 0] },
  { op: 'call', call: 'exit', args: ['result'] },
];

function words(...values: readonly number[]): readonly number[] {
  return values.flatMap((value) => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24]);
}

/** Intel SDM volume 2; registers of the system call as in syscall(2). */
const x64: Machine = {
  elfMachine: 62,
  calls: { socket: 41, bind: 49, recvfrom: 45, write: 1, prctl: 157, exit: 60 },
  encode(op, at, target, dataAddress) {
    const relative = (label: string, size: number): readonly number[] => words(target(label) - (at + size));
    const load = [[0xbf], [0xbe], [0xba], [0x41, 0xba], [0x41, 0xb8], [0x41, 0xb9]];
    switch (op.op) {
      case 'label':
        return [];
      case 'jump-if-arguments': // cmp qword [rsp], 1; jne
        return [0x48, 0x83, 0x3c, 0x24, 0x01, 0x0f, 0x85, ...relative(op.to, 11)];
      case 'keep': // mov ebx, eax
        return [0x89, 0xc3];
      case 'jump-if-negative': // test eax, eax; js
        return [0x85, 0xc0, 0x0f, 0x88, ...relative(op.to, 8)];
      case 'jump':
        return [0xe9, ...relative(op.to, 5)];
      case 'call': {
        const code = op.args.flatMap((arg, index) => {
          if (arg === 'fd') return [0x89, 0xdf]; // mov edi, ebx
          if (arg === 'result') return [0x89, 0xc7]; // mov edi, eax
          return [...(load[index] ?? []), ...words(typeof arg === 'number' ? arg : dataAddress + arg.data)];
        });
        return [...code, 0xb8, ...words(this.calls[op.call]), 0x0f, 0x05]; // mov eax, number; syscall
      }
    }
  },
};

/** Arm Architecture Reference Manual, A64; registers of the system call as in syscall(2). */
const arm64: Machine = {
  elfMachine: 183,
  calls: { socket: 198, bind: 200, recvfrom: 207, write: 64, prctl: 167, exit: 93 },
  encode(op, at, target, dataAddress) {
    const distance = (label: string, from: number): number => (target(label) - from) / 4;
    const load = (register: number, value: number): readonly number[] =>
      words(
        0xd2800000 | ((value & 0xffff) << 5) | register, // movz
        0xf2a00000 | ((value >>> 16) << 5) | register, // movk, lsl 16
      );
    switch (op.op) {
      case 'label':
        return [];
      case 'jump-if-arguments': // ldr x0, [sp]; cmp x0, 1; b.ne
        return words(0xf94003e0, 0xf100041f, 0x54000001 | ((distance(op.to, at + 8) & 0x7ffff) << 5));
      case 'keep': // mov x19, x0
        return words(0xaa0003f3);
      case 'jump-if-negative': // tbnz x0, 63
        return words(0xb7f80000 | ((distance(op.to, at) & 0x3fff) << 5));
      case 'jump': // b
        return words(0x14000000 | (distance(op.to, at) & 0x3ffffff));
      case 'call': {
        const code = op.args.flatMap((arg, index) => {
          if (arg === 'fd') return words(0xaa1303e0); // mov x0, x19
          if (arg === 'result') return []; // it is in x0 already
          return load(index, typeof arg === 'number' ? arg : dataAddress + arg.data);
        });
        return [...code, ...load(8, this.calls[op.call]), ...words(0xd4000001)]; // svc 0
      }
    }
  },
};

const machines: Readonly<Record<NetwatchArch, Machine>> = { arm64, x64 };

/** Reports whether the program can be made for an architecture. */
export function isNetwatchArch(arch: string): arch is NetwatchArch {
  return Object.hasOwn(machines, arch);
}

/** The whole static ELF file. */
export function netwatchProgram(arch: NetwatchArch): Uint8Array {
  const machine = machines[arch];
  const labels = new Map<string, number>();
  let size = 0;
  for (const op of program) {
    if (op.op === 'label') labels.set(op.name, baseAddress + headerBytes + size);
    size += machine.encode(op, 0, () => 0, 0).length;
  }
  const start = baseAddress + headerBytes;
  const code: number[] = [];
  for (const op of program) {
    code.push(...machine.encode(op, start + code.length, (label) => labels.get(label) ?? 0, start + size));
  }
  return Buffer.concat([
    header(machine.elfMachine, headerBytes + size + data.length),
    Buffer.from(code),
    data,
  ]);
}

/** ELF header and two program headers: everything readable and executable, nothing writable, no executable stack. */
function header(elfMachine: number, fileBytes: number): Buffer {
  const head = Buffer.alloc(headerBytes);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt16LE(2, 16); // ET_EXEC
  head.writeUInt16LE(elfMachine, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(BigInt(baseAddress + headerBytes), 24); // entry
  head.writeBigUInt64LE(64n, 32); // program headers
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(2, 56);
  head.writeUInt32LE(1, 64); // PT_LOAD
  head.writeUInt32LE(5, 68); // R + X
  head.writeBigUInt64LE(BigInt(baseAddress), 80);
  head.writeBigUInt64LE(BigInt(baseAddress), 88);
  head.writeBigUInt64LE(BigInt(fileBytes), 96);
  head.writeBigUInt64LE(BigInt(fileBytes), 104);
  head.writeBigUInt64LE(0x10000n, 112);
  head.writeUInt32LE(0x6474e551, 120); // PT_GNU_STACK
  head.writeUInt32LE(6, 124); // R + W
  return head;
}
