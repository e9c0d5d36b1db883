/** A YAML or JSON mapping as plain data. */
export type Tree = { readonly [name: string]: unknown };

/** Path of a value in a tree, outermost name first. */
export type TreePath = readonly string[];

/** Reports whether a value is a mapping. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Value at a path, or undefined where any part of it is missing. */
export function valueAt(tree: unknown, path: TreePath): unknown {
  let value = tree;
  for (const name of path) {
    if (!isTree(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** Text at a path, or undefined where there is none or it is empty. */
export function textAt(tree: unknown, path: TreePath): string | undefined {
  const value = valueAt(tree, path);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The same tree with another value at a path; undefined takes the name away. */
export function withValue(tree: Tree, path: TreePath, value: unknown): Tree {
  const [name, ...rest] = path;
  if (name === undefined) return tree;
  if (rest.length > 0) {
    const child = tree[name];
    if (value === undefined && !isTree(child)) return tree;
    return put(tree, name, withValue(isTree(child) ? child : {}, rest, value));
  }
  if (value !== undefined) return put(tree, name, value);
  return Object.fromEntries(Object.entries(tree).filter(([other]) => other !== name));
}

/** Object.fromEntries and spreads treat `__proto__` as plain data; assignment would not. */
function put(tree: Tree, name: string, value: unknown): Tree {
  return Object.fromEntries([...Object.entries(tree).filter(([other]) => other !== name), [name, value]]);
}

/** Reports whether two values are the same data; the order of names does not matter. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  if (!isTree(a) || !isTree(b)) return Number.isNaN(a) && Number.isNaN(b);
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
  );
}

/** Paths at which two trees differ, outermost first; a mapping on both sides is looked into. */
export function differences(from: Tree, to: Tree, prefix: TreePath = []): readonly TreePath[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return names.flatMap((name): readonly TreePath[] => {
    const path = [...prefix, name];
    const before = Object.hasOwn(from, name) ? from[name] : undefined;
    const after = Object.hasOwn(to, name) ? to[name] : undefined;
    if (isTree(before) && isTree(after)) return differences(before, after, path);
    return isSame(before, after) ? [] : [path];
  });
}
