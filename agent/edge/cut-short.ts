import { tokenPath } from './edgecore-yaml.ts';
import { differences, isTree, type Tree, type TreePath, valueAt } from './tree.ts';

/**
 * Reports whether a file is the beginning of the last good one and no more. edgecore itself writes its file over in place
 * (kubeedge/kubeedge edge/cmd/edgecore/app/server.go cleanupToken, pkg/util/edgecoreconfig), names in order of the alphabet,
 * so a power cut can leave any part of it, and most parts are good YAML: a value that lost its end must not count as the
 * operator's, and what the operator had changed further down must not be lost.
 */
export function isCutShort(text: string, tree: Tree, good: Tree): boolean {
  const other = differences(good, tree).filter((path) => path.join() !== tokenPath.join());
  const changed = other.filter((path) => valueAt(tree, path) !== undefined);
  const isWhole = text.endsWith('\n');
  const isShorter = (path: TreePath): boolean =>
    isBeginning(valueAt(tree, path), valueAt(good, path), isWhole);
  if (other.length === 0 || changed.length > 1 || !changed.every(isShorter)) return false;
  return !isWhole || changed.length > 0 || lacksLastSections(tree, good);
}

/** Whole lines may be gone because the operator took them out; that the last sections all are is no edit. */
function lacksLastSections(tree: Tree, good: Tree): boolean {
  const present = sectionsOf(tree);
  const missing = sectionsOf(good).filter((name) => !present.includes(name));
  return missing.length > 0 && missing.every((name) => present.every((other) => other < name));
}

function sectionsOf({ modules }: Tree): readonly string[] {
  return isTree(modules) ? Object.keys(modules) : [];
}

/** What a value looks like that lost its end: nothing at all, or where the last line has no end, a part of it or of a name in it. */
function isBeginning(part: unknown, whole: unknown, isWholeLine: boolean): boolean {
  if (part === null) return whole !== undefined;
  const short = plain(part);
  if (isWholeLine || short === undefined) return false;
  const all = isTree(whole) ? Object.keys(whole) : [plain(whole) ?? ''];
  return all.some((text) => text.startsWith(short));
}

function plain(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}
