import { copyFile, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { fetch } from 'undici';
import { AgentError, errnoOf } from '../../agent/core/agent-error.ts';
import { type DownloadTools, download, dropPartial } from './download.ts';
import { fileSum } from './file-sum.ts';
import type { SeenRecord } from './lock-file.ts';
import { type Part, partId } from './part.ts';
import { findSum } from './published-sum.ts';
import type { PartStore } from './store.ts';
import { partProblems } from './verify-store.ts';

/** Where downloads come from instead of their makers. */
export interface FetchPlaces {
  /** A folder with the files under their names; nothing is asked of the network then. */
  readonly offline: string | undefined;
  /** Base address of a server with the files under their names. */
  readonly mirror: string | undefined;
}

/** What became of one part. */
export interface FetchOutcome {
  readonly part: string;
  readonly vouchedBy: SeenRecord['vouchedBy'];
  readonly sha256: string;
  readonly size: number;
  /** False where the store had it already. */
  readonly isNew: boolean;
}

type Download = Extract<Part['source'], { kind: 'download' }>;

const sumTextLimit = 1024 * 1024;

/** Brings one part into the store: download or copy, sum, unpack, check, install. */
export async function fetchPart(
  part: Part,
  store: PartStore,
  places: FetchPlaces,
  tools: DownloadTools,
): Promise<FetchOutcome> {
  if (part.source.kind === 'handed-in') {
    throw new AgentError(
      'USAGE',
      `Cannot fetch ${part.name}: nobody offers a file that fits; ${part.source.how}`,
    );
  }
  const { source } = part;
  const fileName = nameAt(source.url);
  const target = store.downloadPath(fileName);
  const known = store.seen(part);
  const isHere = await isSame(target, known);
  if (!isHere) await bring(part, source, { target, places, tools, known });
  const record =
    isHere && known !== undefined ? known : await judge(part, source, { target, places, tools, known });
  if (!isHere) {
    await rename(`${target}.part`, target);
    await dropPartial(target);
  }
  const { sha256, size, vouchedBy } = record;
  if (known === undefined && vouchedBy !== 'first-use') await store.remember(part, record);
  const isNew = !(await isInstalled(store, part, sha256));
  if (isNew) await store.install(part, originOf(source, target, part, record));
  // Where nobody vouches for a sum, only a file that proved fit is wanted from then on: the page of a hotel's network is not.
  if (known === undefined && vouchedBy === 'first-use') await store.remember(part, record);
  return { part: partId(part), vouchedBy, sha256, size, isNew };
}

/** Reports whether the store has this download's files, each as it was when it was installed. */
async function isInstalled(store: PartStore, part: Part, sha256: string): Promise<boolean> {
  const there = store.installed(part.name);
  if (there?.version !== part.version || there.source !== sha256) return false;
  return (await partProblems(store.folder, part.name, there)).length === 0;
}

function nameAt(url: string): string {
  return path.posix.basename(new URL(url).pathname);
}

async function isSame(file: string, known: SeenRecord | undefined): Promise<boolean> {
  if (known === undefined) return false;
  return fileSum(file, 'sha256').then(
    (sum) => sum === known.sha256,
    () => false,
  );
}

interface Bringing {
  readonly target: string;
  readonly places: FetchPlaces;
  readonly tools: DownloadTools;
  readonly known: SeenRecord | undefined;
}

/** Leaves the file as `<target>.part`. */
async function bring(part: Part, source: Download, { target, places, tools }: Bringing): Promise<void> {
  const { size, sizeLimit } = source;
  if (places.offline === undefined) {
    const order = { url: addressOf(source.url, places), target, size, sizeLimit };
    await download(order, tools);
    return;
  }
  const file = path.join(places.offline, nameAt(source.url));
  const found = await stat(file).catch((error: unknown) => {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot take ${partId(part)} from "${file}": ${errnoOf(error) ?? 'failed'}; put the file from ${source.url} there`,
      { cause: error },
    );
  });
  if (found.size > sizeLimit || (size !== null && found.size !== size)) {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot take "${file}": it has ${found.size} bytes, want ${size ?? `at most ${sizeLimit}`}`,
    );
  }
  await dropPartial(target);
  await copyFile(file, `${target}.part`);
}

function addressOf(url: string, { mirror }: FetchPlaces): string {
  return mirror === undefined ? url : new URL(nameAt(url), mirror.endsWith('/') ? mirror : `${mirror}/`).href;
}

/** Compares the `.part` with everything that is known of it; a wrong one is thrown away. */
async function judge(part: Part, source: Download, bringing: Bringing): Promise<SeenRecord> {
  const file = `${bringing.target}.part`;
  const sha256 = await fileSum(file, 'sha256');
  const { size } = await stat(file);
  const { checksum } = source;
  const expected: { what: string; want: string; have: string }[] = [];
  if (bringing.known !== undefined)
    expected.push({ what: 'recorded at first use', want: bringing.known.sha256, have: sha256 });
  if (checksum.kind === 'pinned')
    expected.push({ what: 'in the manifest', want: checksum.sha256, have: sha256 });
  if (checksum.kind === 'published' && bringing.known === undefined) {
    const text = await publishedText(part, checksum.url, bringing);
    const want = findSum(text, nameAt(source.url), checksum.algorithm);
    expected.push({ what: 'published by its maker', want, have: await fileSum(file, checksum.algorithm) });
  }
  const wrong = expected.find(({ want, have }) => want !== have);
  if (wrong !== undefined) {
    await dropPartial(bringing.target);
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot use ${partId(part)}: its sum is ${wrong.have}, the one ${wrong.what} is ${wrong.want}; nothing was taken, try another mirror`,
    );
  }
  const vouchedBy =
    checksum.kind === 'pinned' ? 'manifest' : checksum.kind === 'published' ? 'maker' : 'first-use';
  return { url: source.url, sha256, size, vouchedBy };
}

async function publishedText(part: Part, url: string, { places, tools }: Bringing): Promise<string> {
  if (places.offline !== undefined) {
    const file = path.join(places.offline, nameAt(url));
    return readFile(file, 'utf8').catch((error: unknown) => {
      throw new AgentError(
        'INPUT_INVALID',
        `Cannot check ${partId(part)} without "${file}": put the file from ${url} there`,
        { cause: error },
      );
    });
  }
  const from = addressOf(url, places);
  const signal = AbortSignal.timeout(tools.policy.stallMs);
  const response = await fetch(from, { dispatcher: tools.dispatcher, signal }).catch((error: unknown) => {
    throw new AgentError(
      'TOOL_FAILED',
      `Cannot check ${partId(part)}: ${from} does not answer; run it again`,
      { cause: error },
    );
  });
  const text = response.ok ? await response.text() : '';
  if (text !== '' && text.length <= sumTextLimit) return text;
  throw new AgentError(
    'TOOL_FAILED',
    `Cannot check ${partId(part)}: ${from} answered ${response.status}; the file is not used without its sum`,
  );
}

function originOf(
  source: Download,
  target: string,
  part: Part,
  record: SeenRecord,
): Parameters<PartStore['install']>[1] {
  const { sha256, vouchedBy } = record;
  if (source.archive === 'tar.gz') {
    return { kind: 'archive', path: target, mayHoldLinks: source.mayHoldLinks === true, sha256, vouchedBy };
  }
  const paths = Object.fromEntries(part.files.map(({ to }) => [to, target]));
  return { kind: 'files', paths, sha256, vouchedBy };
}
