import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { readElf } from '../../agent/core/elf.ts';
import { checkFiles } from './check-files.ts';
import { fileSum } from './file-sum.ts';
import { type InstalledPart, lockName, readLock } from './lock-file.ts';
import { manifest } from './manifest.ts';
import type { FileRule, PartFile } from './part.ts';

/** What `verify` found: problems make the store unfit, flags are for a person to know. */
export interface StoreReport {
  readonly parts: readonly { readonly name: string; readonly version: string; readonly vouchedBy: string }[];
  readonly problems: readonly string[];
  readonly flags: readonly string[];
}

/** Compares a store with its lock file, checks every program, and whether the parts go together. */
export async function verifyStore(folder: string): Promise<StoreReport> {
  await requireStore(folder);
  const { installed } = await readLock(folder);
  const rows = Object.entries(installed);
  const problems: string[] = [];
  for (const [name, part] of rows) problems.push(...(await partProblems(folder, name, part)));
  problems.push(
    ...(await strangers(folder, Object.keys(installed))),
    ...(await nodeProblems(folder, installed)),
  );
  const flags = rows
    .filter(([, { vouchedBy }]) => vouchedBy === 'first-use')
    .map(
      ([name, { version }]) =>
        `${name}@${version}: its maker publishes no sum; it is the one that came first`,
    );
  const parts = rows.map(([name, { version, vouchedBy }]) => ({ name, version, vouchedBy }));
  return { parts, problems, flags: [...flags, ...companionFlags(installed)] };
}

async function requireStore(folder: string): Promise<void> {
  const hasLock = await stat(path.join(folder, lockName)).then(
    () => true,
    () => false,
  );
  if (hasLock) return;
  throw new AgentError(
    'INPUT_INVALID',
    `Cannot verify "${folder}": no ${lockName} in it; fetch or add parts first`,
  );
}

/** What is wrong with one installed part: files that changed, are gone, or belong to nobody, and programs that are unfit. */
export async function partProblems(folder: string, name: string, part: InstalledPart): Promise<string[]> {
  const home = path.join(folder, name);
  const problems: string[] = [];
  for (const [file, { sha256 }] of Object.entries(part.files)) {
    const sum = await fileSum(path.join(home, file), 'sha256').catch(() => null);
    if (sum === null) problems.push(`${name}/${file} is not there`);
    else if (sum !== sha256) problems.push(`${name}/${file} has the sum ${sum}, want ${sha256}`);
  }
  const listed = await readdir(home).catch((): string[] => []);
  for (const file of listed) {
    if (part.files[file] === undefined) problems.push(`${name}/${file} is in no lock file`);
  }
  if (problems.length > 0) return problems;
  return (await checkFiles(home, rulesOf(name, part))).map((problem) => `${name}: ${problem}`);
}

/** Rules by the manifest; libraries have no rows there, their part says what they are. */
function rulesOf(name: string, part: InstalledPart): PartFile[] {
  const rows = manifest.filter((one) => one.name === name).flatMap(({ files }) => files);
  const other: FileRule = name === 'node-libraries' ? 'library' : 'data';
  return Object.keys(part.files).map((file) => ({
    from: file,
    to: file,
    rule: rows.find(({ to }) => to === file)?.rule ?? other,
  }));
}

async function strangers(folder: string, names: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder);
  const known = [...names, lockName, 'downloads'];
  return entries
    .filter((entry) => !known.includes(entry))
    .map((entry) => `${entry} belongs to no part; remove it`);
}

/** A carried Node needs every library beside it, and only one Node can be meant. */
async function nodeProblems(
  folder: string,
  installed: Readonly<Record<string, InstalledPart>>,
): Promise<string[]> {
  if (installed['node-glibc'] === undefined) return [];
  if (installed['node'] !== undefined) return [];
  const carried = Object.keys(installed['node-libraries']?.files ?? {});
  const elf = readElf(await readFile(path.join(folder, 'node-glibc', 'node')));
  const loader = elf.interpreter === null ? [] : [path.basename(elf.interpreter)];
  const missing = [...loader, ...elf.needed].filter((name) => !carried.includes(name));
  return missing.map((name) => `node-glibc needs ${name}, and node-libraries does not have it`);
}

/** What the versions mean for each other (kubeedge/kubeedge CHANGELOG 1.13 to 1.15). */
function companionFlags(installed: Readonly<Record<string, InstalledPart>>): string[] {
  const minor = Number(/^1\.(\d+)\./.exec(installed['edgecore']?.version ?? '')?.[1]);
  if (Number.isNaN(minor) || minor < 14 || installed['cni-plugins'] !== undefined) return [];
  return [`edgecore 1.${minor} always needs CNI plugins; fetch cni-plugins or put them into /opt/cni/bin`];
}
