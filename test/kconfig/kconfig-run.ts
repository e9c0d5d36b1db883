import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { kconfigProgram } from '../../scripts/kconfig/kconfig-program.ts';
import { runProgram } from '../../scripts/terminal/program.ts';
import { RecordedTerminal } from '../fakes/recorded-terminal.ts';

/** What a run of the program left behind. */
export interface KconfigRun {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `kconfig` in this process. */
export async function kconfig(...argv: readonly string[]): Promise<KconfigRun> {
  const terminal = new RecordedTerminal();
  const exitCode = await runProgram((finish) => kconfigProgram(terminal, finish), argv, terminal);
  return { exitCode, out: terminal.text(), err: terminal.complaint() };
}

/** A folder with these files in it, gone after the test. */
export async function folderWith(
  t: TestContext,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'kconfig-test-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(dir, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return dir;
}
