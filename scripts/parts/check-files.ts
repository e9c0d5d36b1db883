import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../agent/core/agent-error.ts';
import { type ElfFacts, readElf } from '../../agent/core/elf.ts';
import type { FileRule, PartFile } from './part.ts';

/** Everything that keeps files from doing their work on an arm64 board, as sentences; empty when all is well. */
export async function checkFiles(folder: string, files: readonly PartFile[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { to, rule } of files) {
    if (rule !== 'data') problems.push(...(await checkProgram(path.join(folder, to), to, rule)));
  }
  return problems;
}

async function checkProgram(file: string, name: string, rule: FileRule): Promise<string[]> {
  try {
    return programProblems(readElf(await readFile(file)), name, rule);
  } catch (error) {
    return [`${name}: ${messageOf(error)}`];
  }
}

function programProblems(elf: ElfFacts, name: string, rule: FileRule): string[] {
  const problems: string[] = [];
  if (elf.bits !== 64 || elf.machine !== 'aarch64') {
    problems.push(`${name} is for ${elf.machine} with ${elf.bits} bits, want aarch64 with 64`);
  }
  if (elf.hasTextRelocations) problems.push(`${name} has text relocations, which hardened kernels refuse`);
  if (rule === 'static-program' && !elf.isStatic) {
    const wants = elf.interpreter ?? elf.needed.join(', ');
    problems.push(`${name} asks for ${wants}, which the board does not have; take a static build`);
  }
  if (rule !== 'library' && elf.type === 'other') problems.push(`${name} is no program`);
  return problems;
}
