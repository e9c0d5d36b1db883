import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { makeOnce, textKey } from './cache.ts';
import { runCommand } from './command.ts';
import type { Progress } from './progress.ts';

/** The lab's own programs on the board, by name; each is one folder or one file of C below test/lab. */
const programs = {
  init: { from: 'init', libraries: ['-lm'] },
  hdcd: { from: 'hdcd', libraries: [] },
  'first-stage': { from: 'programs/first-stage.c', libraries: [] },
  begetctl: { from: 'programs/begetctl.c', libraries: [] },
  'sa-main': { from: 'programs/sa-main.c', libraries: [] },
  probe: { from: 'programs/probe.c', libraries: [] },
  dnsproxyd: { from: 'programs/dnsproxyd.c', libraries: [] },
  iptables: { from: 'programs/iptables.c', libraries: [] },
} as const;

export type LabProgram = keyof typeof programs;

const flags = ['-D_GNU_SOURCE', '-std=gnu11', '-O2', '-static', '-s', '-Wall', '-Wextra'];

/** Compiles the lab's programs for the board and returns the folder they are in. */
export async function compilePrograms(
  sources: string,
  cache: string,
  progress: Progress,
): Promise<(name: LabProgram) => string> {
  const compiler = process.arch === 'arm64' ? 'gcc' : 'aarch64-linux-gnu-gcc';
  const lists = await Promise.all(
    Object.entries(programs).map(async ([name, { from, libraries }]) => {
      const at = path.join(sources, from);
      const files = from.endsWith('.c') ? [at] : (await readdir(at)).map((file) => path.join(at, file));
      return { name, libraries, files: files.sort() };
    }),
  );
  const texts = await Promise.all(
    lists.flatMap(({ files }) => files).map(async (file) => readFile(file, 'utf8')),
  );
  const key = textKey(compiler, ...flags, ...texts);
  const folder = await makeOnce(cache, 'programs', key, async (into) => {
    await progress.step('compile the stand-ins', async () => {
      await mkdir(into, { recursive: true });
      for (const { name, libraries, files } of lists) {
        const code = files.filter((file) => file.endsWith('.c'));
        await runCommand(compiler, [...flags, '-o', path.join(into, name), ...code, ...libraries]);
      }
    });
  });
  return (name) => path.join(folder, name);
}
