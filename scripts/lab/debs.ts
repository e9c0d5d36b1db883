import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { exists, makeOnce, textKey } from './cache.ts';
import { runCommand } from './command.ts';
import type { Progress } from './progress.ts';

/** One package of the board's closure. */
export interface DebName {
  readonly name: string;
  readonly version: string;
}

/** Packages wanted by name; the kernel is found through its meta package, whose name differs by distribution. */
export interface DebWish {
  readonly names: readonly string[];
  readonly kernels: readonly string[];
  /** A sources file to use instead of the host's, for hosts whose archive has no arm64. */
  readonly sources?: string | undefined;
  /** Ask the archive again instead of keeping what was fetched before. */
  readonly refresh: boolean;
}

/** Packages unpacked below `root`, one tree for all. */
export interface UnpackedDebs {
  readonly root: string;
  readonly packages: readonly DebName[];
}

/** Libraries come along by themselves; these only exist to install a system and would double the download. */
const unwantedLibrary = /perl|gdbm|db5|pam|semanage|sepol|krb5|gssapi|klibc|kmod2?$/;

/**
 * Picks from an installation plan what the board needs: the packages asked for, their libraries, and the kernel with its
 * modules. The plan is what `apt-get install --simulate` prints.
 */
export function pickPackages(plan: string, names: readonly string[]): DebName[] {
  const picked: DebName[] = [];
  for (const [, name = '', version = ''] of plan.matchAll(/^Inst (\S+) \((\S+) /gm)) {
    const plain = name.replace(/:.*$/, '');
    const isKernel = /^linux-(image|modules)-(extra-)?\d/.test(plain);
    const isLibrary = plain.startsWith('lib') && !unwantedLibrary.test(plain);
    if (names.includes(plain) || isKernel || isLibrary) picked.push({ name: plain, version });
  }
  return picked;
}

/** Fetches and unpacks arm64 packages without touching the host's package state. */
export async function fetchDebs(cache: string, wish: DebWish, progress: Progress): Promise<UnpackedDebs> {
  const key = textKey(...wish.names, ...wish.kernels, wish.sources ?? '');
  const list = path.join(cache, `packages-${key}.json`);
  if (wish.refresh || !(await exists(list))) {
    await progress.step('fetch arm64 packages from the archive', async (note) => {
      const packages = await downloadAll(cache, wish, note);
      await writeFile(list, `${JSON.stringify(packages, null, 2)}\n`);
    });
  }
  const packages = JSON.parse(await readFile(list, 'utf8')) as (DebName & { file: string; sha256: string })[];
  const rootKey = textKey(...packages.map((deb) => deb.sha256));
  const root = await makeOnce(cache, 'root', rootKey, async (into) => {
    await progress.step(`unpack ${packages.length} packages`, async () => {
      for (const deb of packages) await unpack(path.join(cache, 'archives', deb.file), deb.sha256, into);
    });
  });
  return { root, packages };
}

async function unpack(archive: string, sha256: string, into: string): Promise<void> {
  const found = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  if (found !== sha256) {
    throw new AgentError(
      'FILE_FAILED',
      `Cannot use ${archive}: SHA-256 ${found}, want ${sha256}; run with --refresh`,
    );
  }
  await runCommand('dpkg-deb', ['-x', archive, into]);
}

async function downloadAll(
  cache: string,
  wish: DebWish,
  note: (text: string) => void,
): Promise<(DebName & { file: string; sha256: string })[]> {
  const apt = await privateApt(cache, wish.sources);
  await apt('apt-get', ['update', '-q']).catch(() => note('some package lists could not be read; going on'));
  const known = async (name: string): Promise<boolean> =>
    /Candidate: (?!\(none\))/.test(await apt('apt-cache', ['policy', name]));
  const kernel = await firstKnown(wish.kernels, known);
  const names: string[] = [];
  for (const name of wish.names)
    if (await known(name.replace(/\?$/, ''))) names.push(name.replace(/\?$/, ''));
  const absent = wish.names.filter((name) => !name.endsWith('?') && !names.includes(name));
  if (kernel === undefined || absent.length > 0) throw noArm64(kernel === undefined ? wish.kernels : absent);
  const plan = await apt('apt-get', ['install', '-s', '-q', '--no-install-recommends', kernel, ...names]);
  const picked = pickPackages(plan, names);
  note(
    `${picked.length} packages, among them ${picked.find(({ name }) => name.startsWith('linux-image'))?.name}`,
  );
  const archives = path.join(cache, 'archives');
  await mkdir(archives, { recursive: true });
  const wanted = picked.map(({ name, version }) => `${name}=${version}`);
  await apt('apt-get', ['download', '-q', ...wanted], archives, note);
  return describeArchives(archives, picked);
}

async function describeArchives(
  archives: string,
  picked: readonly DebName[],
): Promise<(DebName & { file: string; sha256: string })[]> {
  const files = await readdir(archives);
  return Promise.all(
    picked.map(async ({ name, version }) => {
      const start = `${name}_${version.replaceAll(':', '%3a')}_`;
      const file = files.find((candidate) => candidate.startsWith(start));
      if (file === undefined)
        throw new AgentError('FILE_FAILED', `Cannot find the download of ${name} ${version}`);
      const bytes = await readFile(path.join(archives, file));
      return { name, version, file, sha256: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}

async function firstKnown(
  names: readonly string[],
  known: (name: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (const name of names) if (await known(name)) return name;
  return undefined;
}

function noArm64(missing: readonly string[]): AgentError {
  return new AgentError(
    'TOOL_FAILED',
    `Cannot find arm64 packages ${missing.join(', ')}: the host's package archive does not offer them; name a sources file that does with --apt-sources FILE (on Ubuntu for PCs that is its ports archive)`,
  );
}

type Apt = (
  tool: 'apt-get' | 'apt-cache',
  args: readonly string[],
  cwd?: string,
  onLine?: (line: string) => void,
) => Promise<string>;

/** apt with state, cache and configuration of its own; only where packages come from and proxies are the host's. */
async function privateApt(cache: string, sources: string | undefined): Promise<Apt> {
  const home = path.resolve(cache, 'apt');
  await mkdir(path.join(home, 'state/lists/partial'), { recursive: true });
  await mkdir(path.join(home, 'cache/archives/partial'), { recursive: true });
  await writeFile(path.join(home, 'status'), '');
  const acquire = await runCommand('apt-config', ['dump']);
  const lines = acquire
    .split('\n')
    .filter((line) => line.startsWith('Acquire::') && !line.includes('IndexTargets'));
  const own = {
    'Dir::State': path.join(home, 'state'),
    'Dir::State::status': path.join(home, 'status'),
    'Dir::Cache': path.join(home, 'cache'),
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::parts': '/dev/null',
    ...(sources === undefined
      ? {}
      : { 'Dir::Etc::sourcelist': path.resolve(sources), 'Dir::Etc::sourceparts': '/dev/null' }),
    'APT::Architecture': 'arm64',
    'APT::Architectures': 'arm64',
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  };
  const text = [...lines, ...Object.entries(own).map(([name, value]) => `${name} "${value}";`)];
  await writeFile(path.join(home, 'apt.conf'), `${text.join('\n')}\n`);
  return async (tool, args, cwd = home, onLine) =>
    runCommand(tool, args, {
      cwd,
      env: { APT_CONFIG: path.join(home, 'apt.conf') },
      ...(onLine === undefined ? {} : { onLine }),
    });
}
