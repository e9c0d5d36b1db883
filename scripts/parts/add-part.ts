import { type FileHandle, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { AgentError, errnoOf, messageOf } from '../../agent/core/agent-error.ts';
import { openGiven } from '../../agent/host/given-file.ts';
import { findLibraries } from '../image/check-parts.ts';
import { fileSum } from './file-sum.ts';
import { manifest } from './manifest.ts';
import { type Part, partId } from './part.ts';
import { type RecordedVersion, recordedVersion } from './program-version.ts';
import type { PartStore } from './store.ts';

/** What was handed in. */
export interface AddOrder {
  readonly name: string;
  readonly paths: readonly string[];
  /** Version as its giver says, for files that do not tell. */
  readonly version: string | undefined;
}

export interface AddOutcome {
  readonly part: string;
  readonly files: readonly string[];
  readonly notes: readonly string[];
}

/** Takes a part from files of one's own. It is checked like a download and never started. */
export async function addPart(order: AddOrder, store: PartStore): Promise<AddOutcome> {
  if (order.name === 'node-libraries') return addLibraries(order, store);
  for (const file of order.paths) await (await openProgram(file)).close();
  const known = manifest.filter(({ name }) => name === order.name);
  const template = known.find(({ source }) => source.kind === 'handed-in') ?? known[0];
  if (template === undefined) {
    throw new AgentError('USAGE', `Cannot add "${order.name}": no such part; see "parts list"`);
  }
  if (order.name === 'edgecore') return addEdgecore(order, template, store);
  const paths = matchPaths(order, template);
  const version = order.version ?? 'own';
  await store.install({ ...template, version }, { kind: 'files', paths, sha256: null, vouchedBy: 'hand' });
  return { part: `${order.name}@${version}`, files: Object.keys(paths), notes: [] };
}

/** Files of a part by the name they get; a single file may have any name. */
function matchPaths(order: AddOrder, part: Part): Record<string, string> {
  const [only, ...more] = order.paths;
  const [first, ...others] = part.files;
  if (only !== undefined && more.length === 0 && first !== undefined && others.length === 0) {
    return { [first.to]: only };
  }
  const pairs = order.paths.map((file): [string, string] => [path.basename(file), file]);
  const wanted = part.files.map(({ to }) => to);
  const missing = wanted.filter((name) => !pairs.some(([base]) => base === name));
  if (missing.length === 0) return Object.fromEntries(pairs.filter(([base]) => wanted.includes(base)));
  throw new AgentError(
    'USAGE',
    `Cannot add "${order.name}": ${missing.join(', ')} missing; name all of its files`,
  );
}

const versionPattern = /^v?(\d+\.\d+\.\d+[-+.\w]*)$/;

/** edgecore is told apart by its version: the agent and the image must know which release it is. */
async function addEdgecore(order: AddOrder, template: Part, store: PartStore): Promise<AddOutcome> {
  const [file, ...more] = order.paths;
  if (file === undefined || more.length > 0)
    throw new AgentError('USAGE', 'Cannot add edgecore: want exactly one file');
  const { version, note } = edgecoreVersion(file, order.version, recordedVersion(await readFile(file)));
  const sha256 = await fileSum(file, 'sha256');
  const paths = { edgecore: file };
  await store.install({ ...template, version }, { kind: 'files', paths, sha256, vouchedBy: 'hand' });
  return { part: `edgecore@${version}`, files: ['edgecore'], notes: [note] };
}

/** The version that is recorded in the program or that its giver says; the two must not differ. */
function edgecoreVersion(
  file: string,
  said: string | undefined,
  found: RecordedVersion,
): { version: string; note: string } {
  const given = said === undefined ? undefined : versionPattern.exec(said)?.[1];
  if (said !== undefined && given === undefined) {
    throw new AgentError('USAGE', `Cannot add edgecore as "${said}": want a version such as 1.12.6`);
  }
  if (given !== undefined && found.version !== null && given !== found.version) {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot add "${file}" as ${given}: version ${found.version} is recorded in it`,
    );
  }
  if (found.version !== null) return { version: found.version, note: found.note };
  if (given !== undefined) return { version: given, note: `version as given by hand: ${found.note}` };
  throw new AgentError(
    'INPUT_INVALID',
    `Cannot add "${file}": ${found.note}; say which it is with --version 1.12.6`,
  );
}

async function openProgram(file: string): Promise<FileHandle> {
  return openGiven(file).catch((error: unknown) => {
    const why = errnoOf(error) ?? messageOf(error);
    throw new AgentError('INPUT_INVALID', `Cannot read "${file}": ${why}; name a readable file`, {
      cause: error,
    });
  });
}

/** Loader and libraries for node-glibc, closed over what they need themselves. */
async function addLibraries(order: AddOrder, store: PartStore): Promise<AddOutcome> {
  const node = path.join(store.folder, 'node-glibc', 'node');
  const template = manifest.find(({ name }) => name === 'node-libraries');
  const isThere = await stat(node).then(
    () => true,
    () => false,
  );
  if (!isThere || template === undefined) {
    throw new AgentError(
      'USAGE',
      'Cannot add node-libraries: fetch node-glibc first, it says which are needed',
    );
  }
  const { files, missing } = await findLibraries(node, order.paths);
  if (missing.length > 0) {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot add node-libraries: ${missing.join(', ')} not in ${order.paths.join(', ')}; name the folders that have them`,
    );
  }
  const rows = Object.keys(files).map((name) => ({ from: name, to: name, rule: 'library' }) as const);
  const part: Part = { ...template, version: order.version ?? 'own', files: rows };
  await store.install(part, { kind: 'files', paths: files, sha256: null, vouchedBy: 'hand' });
  return { part: partId(part), files: Object.keys(files), notes: [] };
}
