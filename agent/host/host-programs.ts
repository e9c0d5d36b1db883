import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import net from 'node:net';
import { AgentError, errnoOf } from '../core/agent-error.ts';
import type { ElfFacts, ProgramFacts, Programs, SocketState, UnixSockets } from '../core/program.ts';

/** ELF `e_machine` by Node's word for the architecture (gABI machine table). */
const machines: Readonly<Record<string, number>> = {
  ia32: 3,
  arm: 40,
  x64: 62,
  arm64: 183,
  riscv64: 243,
  loong64: 258,
};

/** Milliseconds within which two changes of a file may have the same time: some file systems count in whole seconds, FAT in two. */
const momentMs = 3_000;

/** Looks at program files of the machine, and at one that has not changed for a while only once. */
export class HostPrograms implements Programs {
  readonly machine = machines[process.arch] ?? 0;
  readonly #known = new Map<string, Looked>();

  /** Synchronous inside: it stands between the end of a unit and its next start, and a few bytes are not worth four waits for threads. */
  async inspect(path: string): Promise<ProgramFacts> {
    await Promise.resolve();
    try {
      const stat = statSync(path);
      const fingerprint = fingerprintOf(stat);
      const known = this.#known.get(path);
      if (known?.fingerprint === fingerprint) return known;
      const facts = look(path);
      const isSettled = facts.fingerprint === fingerprint && Date.now() - stat.ctimeMs > momentMs;
      if (isSettled) this.#known.set(path, facts);
      return facts;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return { kind: 'absent' };
      throw new AgentError('FILE_FAILED', `Cannot look at "${path}": ${errno ?? 'unknown'}`, {
        cause: error,
      });
    }
  }
}

type Looked = Exclude<ProgramFacts, { kind: 'absent' }>;

function look(path: string): Looked {
  // Not blocking, or a named pipe at that path would hold us for ever.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    const fingerprint = fingerprintOf(stat);
    if (!stat.isFile()) return { kind: 'not-a-file', fingerprint };
    const head = Buffer.alloc(256);
    const length = readSync(descriptor, head, 0, head.length, 0);
    const isExecutable = (stat.mode & 0o111) !== 0;
    return { kind: 'file', isExecutable, fingerprint, ...readHead(head.subarray(0, length)) };
  } finally {
    closeSync(descriptor);
  }
}

function fingerprintOf({ dev, ino, mode, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, mode, size, mtimeMs, ctimeMs].join(':');
}

/** Tells ELF and `#!` files from their first bytes. */
export function readHead(head: Buffer): { elf?: ElfFacts; interpreter?: string } {
  if (head.length >= 20 && head.readUInt32BE(0) === 0x7f454c46) {
    const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
    return { elf: { bits: head[4] === 2 ? 64 : 32, machine } };
  }
  const script = /^#!\s*(\S+)/.exec(head.toString('latin1'));
  return script?.[1] === undefined ? {} : { interpreter: script[1] };
}

/** How the kernel answers for a file that nobody listens on, or that is no such socket. */
const refusals: readonly string[] = ['ECONNREFUSED', 'EPROTOTYPE', 'ENOTSOCK'];

/** Unix sockets of the machine. */
export class HostSockets implements UnixSockets {
  state(path: string, timeoutMs: number): Promise<SocketState> {
    return new Promise((resolve) => {
      const socket = net.connect(path);
      const settle = (state: SocketState): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(state);
      };
      // A full accept queue makes a connection wait: somebody is there, however slow.
      const timer = setTimeout(() => settle('listening'), timeoutMs);
      socket.once('connect', () => settle('listening'));
      socket.once('error', (error) => {
        const errno = errnoOf(error);
        if (errno === 'ENOENT' || errno === 'ENOTDIR') settle('absent');
        // Any other word, e.g. EMFILE, says nothing of it, and the file of a living one must not be taken away.
        else settle(errno !== undefined && refusals.includes(errno) ? 'dead' : 'listening');
      });
    });
  }
}
