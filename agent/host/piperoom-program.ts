import { type TinyArch, tinyProgram } from './tiny-program.ts';

/**
 * What a pipe of a unit holds: eight times as much as the kernel gives without being asked and half of what it gives to anybody
 * (/proc/sys/fs/pipe-max-size). A unit prints that much before it has to wait for an agent that is being replaced, and an agent
 * that is woken eight times less often writes twice as much in a second of CPU time.
 */
export const pipeBytes = 524_288;
/** F_SETPIPE_SZ of fcntl(2), Linux 2.6.35. */
const setPipeSize = 1031;

/** Makes room in the pipes that it gets as standard output and error, and ends. A pipe keeps it as long as anybody has it open. */
export function piperoomProgram(arch: TinyArch): Uint8Array {
  const resize = (descriptor: number) =>
    ({ op: 'call', call: 'fcntl', args: [descriptor, setPipeSize, pipeBytes] }) as const;
  const program = [resize(1), resize(2), { op: 'call', call: 'exit', args: [0] }] as const;
  return tinyProgram(arch, program, Buffer.alloc(0));
}
