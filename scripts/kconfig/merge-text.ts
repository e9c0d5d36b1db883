import { lackingOptions } from '../../agent/kernel/kernel-check.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { ConfigTree } from './config-tree.ts';
import type { Merge } from './merge-layer.ts';
import { contradictionTexts } from './report-text.ts';

/** The result of a merge for programs. */
export function mergeFacts(tree: ConfigTree, merge: Merge, isWritten: boolean): unknown {
  return {
    target: tree.target,
    form: tree.form,
    kernel: tree.kernel,
    written: isWritten,
    options: merge.entries.map(({ name, value }) => ({ name, value })),
    defeated: contradictionTexts(merge.after),
    lacking: lackingOptions(merge.after.report)
      .filter(({ level }) => level === 'required')
      .map(({ name }) => name),
  };
}

function nextSteps(tree: ConfigTree): readonly string[] {
  const steps = [
    `commit it in ${tree.root}: the build compares git logs and may not see an uncommitted change; else delete out/kernel`,
  ];
  if (tree.form === 'layers') {
    steps.unshift(
      `the build merges it when its GN argument device_type names the file; base_defconfig wins over it`,
    );
  }
  return steps;
}

/** Prints the result of a merge for a person. */
export function printMerge(tree: ConfigTree, merge: Merge, isWritten: boolean, terminal: Terminal): void {
  const { out, err, style } = terminal;
  const names = merge.entries.map(({ name }) => name);
  const verb = isWritten ? 'wrote' : merge.isChanged ? 'would write' : 'unchanged:';
  out(
    `${style.green(verb)} ${tree.target} (Linux ${tree.kernel}, ${tree.form === 'single' ? 'the one file of 3.x' : 'product layer'})`,
  );
  out(`  ${names.length} options: ${names.join(', ') || 'none are lacking'}`);
  for (const text of contradictionTexts(merge.after)) err(`${style.red('defeated:')} ${text}`);
  const lacking = lackingOptions(merge.after.report, 'required').map(({ name }) => name);
  if (lacking.length > 0) err(`${style.red('still lacking:')} ${lacking.join(', ')}`);
  for (const step of nextSteps(tree)) out(style.dim(`  ${step}`));
}
