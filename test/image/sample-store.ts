import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { imageProgram } from '../../scripts/image/image-program.ts';
import { bundles } from '../../scripts/image/stage.ts';
import { addPart } from '../../scripts/parts/add-part.ts';
import { findParts } from '../../scripts/parts/manifest.ts';
import { PartStore } from '../../scripts/parts/store.ts';
import { runProgram } from '../../scripts/terminal/program.ts';
import { RecordedTerminal } from '../fakes/recorded-terminal.ts';
import { scratch, staticProgram } from '../parts/samples.ts';

/** A folder with bundles and a store of tiny stand-in programs, for one test. */
export interface SampleBuild {
  readonly folder: string;
  readonly store: string;
  readonly dist: string;
}

/** Lays out a build of stand-ins: programs that have the right header and nothing else. */
export async function sampleBuild(t: TestContext, names: readonly string[]): Promise<SampleBuild> {
  const folder = await scratch(t);
  const dist = path.join(folder, 'dist');
  await mkdir(dist);
  for (const name of bundles) await writeFile(path.join(dist, name), `// ${name}\n`);
  const store = path.join(folder, 'parts');
  const opened = await PartStore.open(store);
  for (const name of names) {
    const given = path.join(folder, `given-${name}`);
    await mkdir(given);
    const files = findParts([name])[0]?.files.map(({ to }) => path.join(given, to)) ?? [];
    for (const file of files) await writeFile(file, staticProgram(path.basename(file)));
    const version = name === 'edgecore' ? '1.22.1' : undefined;
    await addPart({ name, paths: files, version }, opened);
  }
  return { folder, store, dist };
}

/** Every part that an image can hold but those for a dynamic Node. */
export const everyPart = ['node', 'busybox', 'docker', 'edgecore', 'cni-plugins', 'iptables', 'pause'];

/** Runs the image program on a sample build. */
export async function image(build: SampleBuild, ...argv: readonly string[]) {
  return imageAt(build, undefined, ...argv);
}

/** The same with SOURCE_DATE_EPOCH set. */
export async function imageAt(
  build: SampleBuild,
  sourceDate: string | undefined,
  ...argv: readonly string[]
) {
  const terminal = new RecordedTerminal();
  const isRoot = process.getuid?.() === 0;
  const context = { terminal, repository: process.cwd(), sourceDate, isRoot };
  const all = [...argv, '--parts', build.store, '--dist', build.dist];
  const exitCode = await runProgram((finish) => imageProgram(context, finish), all, terminal);
  return { exitCode, out: terminal.text(), err: terminal.complaint() };
}
