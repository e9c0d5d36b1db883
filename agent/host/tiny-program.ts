/**
 * Writes programs of some 500 bytes that Node cannot be: a Node has neither netlink sockets nor pidfds nor poll() on files of
 * /proc. They make system calls one after the other, keep nothing in memory and say what they see with one byte.
 */

/** Architectures that they can be made for, by Node's word. */
export type TinyArch = 'arm64' | 'x64';

/** One instruction. Arguments are numbers, the result of the call before, the address of data, or the stack as room for an answer. */
export type Op =
  | { readonly op: 'label'; readonly name: string }
  /** Goes on at the label unless the program was started without arguments. */
  | { readonly op: 'jump-if-arguments'; readonly to: string }
  | { readonly op: 'call'; readonly call: Call; readonly args: readonly Arg[] }
  | { readonly op: 'jump-if-negative'; readonly to: string }
  /** Goes on at the label if the call before answered EAGAIN. */
  | { readonly op: 'jump-if-again'; readonly to: string }
  | { readonly op: 'jump'; readonly to: string };

/** `result` can only be the first argument, `stack` only the second. */
type Arg = number | 'result' | 'stack' | { readonly data: number };

type Call =
  | 'bind'
  | 'dup3'
  | 'epoll_create1'
  | 'epoll_ctl'
  | 'epoll_pwait'
  | 'exit'
  | 'fcntl'
  | 'openat'
  | 'pidfd_open'
  | 'prctl'
  | 'recvfrom'
  | 'socket'
  | 'write';

/** Turns instructions into machine code; addresses of labels are filled in afterwards. */
interface Machine {
  readonly elfMachine: number;
  readonly calls: Readonly<Record<Call, number>>;
  /** Code of one instruction at `at`; `target` gives the address of a label (0 while sizes are measured). */
  encode(op: Op, at: number, target: (label: string) => number, data: number): readonly number[];
}

const baseAddress = 0x400000;
const headerBytes = 64 + 2 * 56;

function words(...values: readonly number[]): readonly number[] {
  return values.flatMap((value) => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24]);
}

/** Intel SDM volume 2; numbers and registers of the system calls as in the kernel's table and in syscall(2). */
const x64: Machine = {
  elfMachine: 62,
  calls: {
    bind: 49,
    dup3: 292,
    epoll_create1: 291,
    epoll_ctl: 233,
    epoll_pwait: 281,
    exit: 60,
    fcntl: 72,
    openat: 257,
    pidfd_open: 434,
    prctl: 157,
    recvfrom: 45,
    socket: 41,
    write: 1,
  },
  encode(op, at, target, dataAddress) {
    const relative = (label: string, size: number): readonly number[] => words(target(label) - (at + size));
    const load = [[0xbf], [0xbe], [0xba], [0x41, 0xba], [0x41, 0xb8], [0x41, 0xb9]];
    switch (op.op) {
      case 'label':
        return [];
      case 'jump-if-arguments': // cmp qword [rsp], 1; jne
        return [0x48, 0x83, 0x3c, 0x24, 0x01, 0x0f, 0x85, ...relative(op.to, 11)];
      case 'jump-if-negative': // test eax, eax; js
        return [0x85, 0xc0, 0x0f, 0x88, ...relative(op.to, 8)];
      case 'jump-if-again': // cmp eax, -11; je
        return [0x83, 0xf8, 0xf5, 0x0f, 0x84, ...relative(op.to, 9)];
      case 'jump':
        return [0xe9, ...relative(op.to, 5)];
      case 'call': {
        const code = op.args.flatMap((arg, index) => {
          if (arg === 'result') return [0x89, 0xc7]; // mov edi, eax
          if (arg === 'stack') return [0x48, 0x89, 0xe6]; // mov rsi, rsp
          return [...(load[index] ?? []), ...words(typeof arg === 'number' ? arg : dataAddress + arg.data)];
        });
        return [...code, 0xb8, ...words(this.calls[op.call]), 0x0f, 0x05]; // mov eax, number; syscall
      }
    }
  },
};

/** Arm Architecture Reference Manual, A64; numbers and registers of the system calls as in asm-generic/unistd.h and syscall(2). */
const arm64: Machine = {
  elfMachine: 183,
  calls: {
    bind: 200,
    dup3: 24,
    epoll_create1: 20,
    epoll_ctl: 21,
    epoll_pwait: 22,
    exit: 93,
    fcntl: 25,
    openat: 56,
    pidfd_open: 434,
    prctl: 167,
    recvfrom: 207,
    socket: 198,
    write: 64,
  },
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
      case 'jump-if-negative': // tbnz x0, 63
        return words(0xb7f80000 | ((distance(op.to, at) & 0x3fff) << 5));
      case 'jump-if-again': // cmn w0, 11; b.eq
        return words(0x31002c1f, 0x54000000 | ((distance(op.to, at + 4) & 0x7ffff) << 5));
      case 'jump':
        return words(0x14000000 | (distance(op.to, at) & 0x3ffffff));
      case 'call': {
        const code = op.args.flatMap((arg, index) => {
          if (arg === 'result') return []; // it is in x0 already
          if (arg === 'stack') return words(0x910003e1); // mov x1, sp
          return load(index, typeof arg === 'number' ? arg : dataAddress + arg.data);
        });
        return [...code, ...load(8, this.calls[op.call]), ...words(0xd4000001)]; // svc 0
      }
    }
  },
};

const machines: Readonly<Record<TinyArch, Machine>> = { arm64, x64 };

/** Reports whether programs can be made for an architecture. */
export function isTinyArch(arch: string): arch is TinyArch {
  return Object.hasOwn(machines, arch);
}

/** The whole static ELF file of a program and its read-only data. */
export function tinyProgram(arch: TinyArch, program: readonly Op[], data: Uint8Array): Uint8Array {
  const machine = machines[arch];
  const labels = new Map<string, number>();
  const start = baseAddress + headerBytes;
  let size = 0;
  for (const op of program) {
    if (op.op === 'label') labels.set(op.name, start + size);
    size += machine.encode(op, 0, () => 0, 0).length;
  }
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

/** ELF header and two program headers: everything readable and executable, nothing writable but the stack. */
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
