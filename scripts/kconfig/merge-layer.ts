import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AgentError, errnoOf } from '../../agent/core/agent-error.ts';
import { makeDirectories } from '../../agent/host/make-directories.ts';
import { type ConfigFile, parseConfig } from '../../agent/kernel/config-text.ts';
import type { Level } from '../../agent/kernel/kernel-option.ts';
import type { ConfigTree } from './config-tree.ts';
import { type FragmentEntry, fragmentFor, printFragment } from './fragment.ts';
import { type Answer, answerFor, type QuestionOptions } from './kernel-question.ts';
import { withBlock, withoutBlock } from './own-block.ts';
import { readConfig } from './read-config.ts';

/** What a merge would write and how the kernel stands with it. */
export interface Merge {
  readonly entries: readonly FragmentEntry[];
  /** The whole new text of the target. */
  readonly text: string;
  readonly isChanged: boolean;
  /** The configuration with the new text in it. */
  readonly after: Answer;
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw new AgentError('INPUT_INVALID', `Cannot read "${file}": ${errnoOf(error) ?? 'unreadable'}`, {
      cause: error,
    });
  }
}

/** The target as a layer; a product layer that sets nothing is no layer at all. */
function asLayer(text: string, source: string): readonly ConfigFile[] {
  return /^(?:# )?CONFIG_/m.test(text) ? [parseConfig(text, source)] : [];
}

async function readAll(paths: readonly string[]): Promise<readonly ConfigFile[]> {
  const files: ConfigFile[] = [];
  for (const file of paths) files.push(await readConfig(file));
  return files;
}

/**
 * Plans the product layer: our block holds what the layers below and the product's own lines lack. Nothing is written.
 * Planning again on the result changes nothing.
 */
export async function planMerge(tree: ConfigTree, options: QuestionOptions, least: Level): Promise<Merge> {
  const before = await textOf(tree.target);
  const own = withoutBlock(before);
  const below = tree.form === 'single' ? [] : await readAll(tree.below);
  const above = await readAll(tree.above);
  const ask = { ...options, kernel: options.kernel ?? tree.kernel };
  const layersWith = (text: string): readonly ConfigFile[] => [
    ...below,
    ...asLayer(text, tree.target),
    ...above,
  ];
  const now = await answerFor(layersWith(own), ask);
  const entries = fragmentFor(now.config, now.report, now.isWhole, least);
  const text = withBlock(own, printFragment(entries));
  const after = await answerFor(layersWith(text), ask);
  return { entries, text, isChanged: text !== before, after };
}

/** Replaces the target by the planned text, through a file beside it so that no half layer is ever seen. */
export async function writeMerge(tree: ConfigTree, merge: Merge): Promise<void> {
  const beside = `${tree.target}.new`;
  try {
    makeDirectories(path.dirname(tree.target));
    await writeFile(beside, merge.text);
    await rename(beside, tree.target);
  } catch (error) {
    throw new AgentError(
      'FILE_FAILED',
      `Cannot write "${tree.target}": ${errnoOf(error) ?? 'failed'}; check owner and free space of the folder`,
      { cause: error },
    );
  }
}
