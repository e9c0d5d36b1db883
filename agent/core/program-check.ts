import type { ProgramFacts, Programs } from './program.ts';
import type { Fault } from './unit-spec.ts';

/** 64-bit kernels of these machines also run the 32-bit programs of the older one. */
const alsoRuns: Readonly<Record<number, number>> = { 183: 40, 62: 3 };
const machineNames: Readonly<Record<number, string>> = {
  3: 'i386',
  8: 'mips',
  40: 'arm',
  62: 'x86-64',
  183: 'aarch64',
  243: 'riscv64',
  258: 'loongarch64',
};

/** Name of an ELF machine number. */
export function machineName(machine: number): string {
  return machineNames[machine] ?? `ELF machine ${machine}`;
}

/** Whether the kernel of a machine may run programs for another; one that is not known refuses nothing. */
export function isBuiltFor(machine: number, built: number): boolean {
  return built === machine || alsoRuns[machine] === built || machine === 0;
}

/**
 * Says why a program cannot run, from looking at it only. This must come before the start: for a foreign architecture the
 * kernel says ENOEXEC, upon which the C library hands the file to a shell, whose complaint names nothing.
 */
export function checkProgram(path: string, facts: ProgramFacts, machine: number): Fault | undefined {
  const permanent = (reason: string, message: string): Fault => ({ reason, message, isPermanent: true });
  if (facts.kind === 'absent') {
    return permanent(
      'ProgramMissing',
      `"${path}" does not exist; put the program there or correct the configuration`,
    );
  }
  if (facts.kind === 'not-a-file') return permanent('ProgramMissing', `"${path}" is no file, want a program`);
  if (!facts.isExecutable) {
    return permanent('NotExecutable', `"${path}" has no execute permission; run chmod 755 on it`);
  }
  if (facts.elf === undefined) {
    if (facts.interpreter !== undefined) return undefined;
    return permanent(
      'NotAProgram',
      `"${path}" is neither ELF nor a script, perhaps cut short; copy it again`,
    );
  }
  const { machine: built } = facts.elf;
  if (isBuiltFor(machine, built)) return undefined;
  const message = `"${path}" is for ${machineName(built)}, this machine is ${machineName(machine)}; put in the right build`;
  return permanent('WrongArchitecture', message);
}

/** First directory of a search path that holds the program, as a whole path; the first directory's where none does. */
export async function findProgram(
  name: string,
  directories: readonly string[],
  programs: Programs,
): Promise<{ readonly path: string; readonly facts: ProgramFacts }> {
  for (const directory of directories) {
    const path = `${directory}/${name}`;
    const facts = await programs.inspect(path);
    if (facts.kind === 'file') return { path, facts };
  }
  return { path: `${directories[0] ?? ''}/${name}`, facts: { kind: 'absent' } };
}
