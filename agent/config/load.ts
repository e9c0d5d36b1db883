import { messageOf } from '../core/agent-error.ts';
import type { Files } from '../core/files.ts';
import type { Config, Problem } from './config.ts';
import { defaultConfig, maxConfigLength } from './default-config.ts';
import { configFrom, type Entry } from './entries.ts';

/** Where a configuration came from. */
export type ConfigSource = 'defaults' | 'file' | 'last-good';

/** A configuration that can be run with, and what was wrong with the file that was asked for. */
export interface LoadedConfig {
  readonly config: Config;
  readonly source: ConfigSource;
  readonly problems: readonly Problem[];
}

/**
 * Reads the operator's file. A broken one must not take a board off the network that nobody can visit: then the last good
 * one is used, or the defaults, and the problems are handed on. A good file becomes the new last good one, which is kept
 * as text and as entries: while the text stays the same no start has to load and run the YAML parser, which took a third
 * of the time until the API answered.
 */
export async function loadConfig(files: Files, path: string, lastGoodPath: string): Promise<LoadedConfig> {
  const asked = await readText(files, path);
  if (asked.ok && asked.text === undefined)
    return { config: defaultConfig(), source: 'defaults', problems: [] };
  const good = await readLastGood(files, lastGoodPath);
  if (!asked.ok) return fallBack(good, asked.problems);
  const text = asked.text ?? '';
  if (good?.text === text) return { config: good.config, source: 'file', problems: [] };
  // Most editors empty a file before they write it, and a power cut in between leaves it so.
  if (text === '' && good !== undefined) return fallBack(good, [{ path: '', message: emptied }]);
  const { readEntries } = await import('./parse.ts');
  const read = readEntries(text);
  const parsed = read.ok ? configFrom(read.entries) : read;
  if (!parsed.ok) return fallBack(good, parsed.problems);
  if (read.ok) await keepLastGood(files, { text, entries: read.entries }, lastGoodPath);
  return { config: parsed.config, source: 'file', problems: [] };
}

const emptied = 'is empty, as a power cut leaves it; write it again, or remove it to run on the defaults';

function fallBack(good: LastGood | undefined, problems: readonly Problem[]): LoadedConfig {
  return good === undefined
    ? { config: defaultConfig(), source: 'defaults', problems }
    : { config: good.config, source: 'last-good', problems };
}

/** Most problems that are told: each goes to the status, and all of them into one condition. */
const maxTold = 20;

/** A sentence for each of the first problems, and how many there are besides. */
export function problemTexts(path: string, problems: readonly Problem[]): readonly string[] {
  const texts = problems.slice(0, maxTold).map((problem) => problemText(path, problem));
  const left = problems.length - texts.length;
  return left === 0
    ? texts
    : [...texts, `${path}: ${left} more problems; see \`agentctl config check ${path}\``];
}

/** One sentence for a problem, with the file, the line and the key. */
function problemText(path: string, problem: Problem): string {
  const place = problem.line === undefined ? path : `${path}:${problem.line}`;
  return problem.path === ''
    ? `${place}: the file ${problem.message}`
    : `${place}: ${problem.path} ${problem.message}`;
}

type ReadText =
  | { readonly ok: true; readonly text: string | undefined }
  | { readonly ok: false; readonly problems: readonly Problem[] };

async function readText(files: Files, path: string): Promise<ReadText> {
  try {
    return { ok: true, text: await files.read(path, maxConfigLength * 4) };
  } catch (error) {
    return { ok: false, problems: [{ path: '', message: `cannot be read: ${messageOf(error)}` }] };
  }
}

/** Form of the last good copy on disk. */
interface KeptConfig {
  readonly text: string;
  readonly entries: readonly Entry[];
}

interface LastGood {
  readonly text: string;
  readonly config: Config;
}

/** What is damaged, or what this version's table refuses, counts as absent. */
async function readLastGood(files: Files, path: string): Promise<LastGood | undefined> {
  try {
    const kept: unknown = JSON.parse((await files.read(path, maxConfigLength * 16)) ?? 'null');
    if (!isKept(kept)) return undefined;
    const parsed = configFrom(kept.entries);
    return parsed.ok ? { text: kept.text, config: parsed.config } : undefined;
  } catch {
    return undefined;
  }
}

function isKept(value: unknown): value is KeptConfig {
  if (typeof value !== 'object' || value === null) return false;
  if (!('text' in value && typeof value.text === 'string')) return false;
  return 'entries' in value && Array.isArray(value.entries) && value.entries.every(isEntry);
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null || !('value' in value)) return false;
  return 'path' in value && typeof value.path === 'string';
}

/** A disk that takes no copy is no reason to refuse a good file. */
async function keepLastGood(files: Files, good: KeptConfig, path: string): Promise<void> {
  try {
    await files.replace(path, JSON.stringify(good), { mode: 0o600 });
  } catch {
    // Reported by the disk conditions; the file itself is good.
  }
}
