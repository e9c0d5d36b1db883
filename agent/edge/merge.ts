import { isSame, isTree, type Tree } from './tree.ts';

/** Three states of one configuration. */
export interface ThreeWay {
  /** What we wrote last time. */
  readonly base: Tree;
  /** What is there now: ours of last time with the operator's changes. */
  readonly theirs: Tree;
  /** What we would write now, had nobody changed anything. */
  readonly ours: Tree;
}

/**
 * Merges name by name: where the operator changed a value since we wrote it, the operator's stays; everywhere else ours
 * of now is taken. Lists and scalars are one value. A name that is missing counts as unchanged: edgecore takes its own
 * default for it, and a file that was cut short must not turn the node into another one.
 */
export function mergeThreeWay({ base, theirs, ours }: ThreeWay): Tree {
  const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  const entries = names.map((name) => [
    name,
    mergeValue(own(base, name), own(theirs, name), own(ours, name)),
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function mergeValue(base: unknown, theirs: unknown, ours: unknown): unknown {
  if (theirs === undefined) return ours;
  if (isTree(theirs) && isTree(ours)) return mergeThreeWay({ base: isTree(base) ? base : {}, theirs, ours });
  return isSame(base, theirs) ? ours : theirs;
}

function own(tree: Tree, name: string): unknown {
  return Object.hasOwn(tree, name) ? tree[name] : undefined;
}
