import { messageOf } from '../core/agent-error.ts';
import type { Files } from '../core/files.ts';
import type { Config, Problem } from './config.ts';
import { defaultConfig, maxConfigLength, parseConfig } from './parse.ts';

/** Where a configuration came from. */
export type ConfigSource = 'defaults' | 'file' | 'last-good';

/** A configuration that can be run with, and what was wrong with the file that was asked for. */
export interface LoadedConfig {
  readonly config: Config;
  readonly source: ConfigSource;
  readonly problems: readonly Problem[];
}

/**
 * Reads the operator's file. A broken one must not take a board off the network that nobody can visit: then the copy of
 * the last good file is used, or the defaults, and the problems are handed on. A good file becomes the new last good copy.
 */
export async function loadConfig(files: Files, path: string, lastGoodPath: string): Promise<LoadedConfig> {
  const asked = await readConfig(files, path);
  if (asked === undefined) return { config: defaultConfig(), source: 'defaults', problems: [] };
  if (asked.problems.length === 0) {
    await keepLastGood(files, asked.text, lastGoodPath);
    return { config: asked.config, source: 'file', problems: [] };
  }
  const good = await readConfig(files, lastGoodPath);
  if (good === undefined || good.problems.length > 0) {
    return { config: defaultConfig(), source: 'defaults', problems: asked.problems };
  }
  return { config: good.config, source: 'last-good', problems: asked.problems };
}

/** One sentence for a problem, with the file, the line and the key. */
export function problemText(path: string, problem: Problem): string {
  const place = problem.line === undefined ? path : `${path}:${problem.line}`;
  return problem.path === ''
    ? `${place}: the file ${problem.message}`
    : `${place}: ${problem.path} ${problem.message}`;
}

interface ReadConfig {
  readonly text: string;
  readonly config: Config;
  readonly problems: readonly Problem[];
}

async function readConfig(files: Files, path: string): Promise<ReadConfig | undefined> {
  try {
    const text = await files.read(path, maxConfigLength * 4);
    if (text === undefined) return undefined;
    const parsed = parseConfig(text);
    return parsed.ok
      ? { text, config: parsed.config, problems: [] }
      : { text, config: defaultConfig(), problems: parsed.problems };
  } catch (error) {
    return {
      text: '',
      config: defaultConfig(),
      problems: [{ path: '', message: `cannot be read: ${messageOf(error)}` }],
    };
  }
}

/** A disk that takes no copy is no reason to refuse a good file. */
async function keepLastGood(files: Files, text: string, path: string): Promise<void> {
  try {
    if ((await files.read(path, maxConfigLength * 4)) !== text)
      await files.replace(path, text, { mode: 0o600 });
  } catch {
    // Reported by the disk conditions; the file itself is good.
  }
}
