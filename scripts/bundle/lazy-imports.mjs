/**
 * What esbuild writes for an import of a built-in module or of a CommonJS package, at the top or in a module that is
 * itself loaded later.
 */
const requiredImport =
  /^(var |\s+)(import_\w+) = ((?:__toESM\()?require(?:\("node:[\w/]+"\)|_\w+\(\))(?:(?:, 1)?\))?);$/gm;

/** Declarations without a value, before the assignment inside a module that is loaded later. */
const declaration = /^\s*var [\w, ]*import_\w+[\w, ]*;$/gm;

/** What `lazy` needs in front of a bundle. */
export const lazyBanner =
  'const __later = (load) => { let module; return () => (module ??= load()); }; const __builtIn = (module) => ({ __proto__: module, default: module });';

/**
 * Lets each built-in module and each CommonJS package be loaded when it is first used: the API answers before
 * node:crypto, node:child_process, the YAML parser and others are needed, and a command of agentctl needs few of them.
 * Lines stay where they were, for the source map.
 */
export function lazy(text) {
  const later = text
    .replaceAll(requiredImport, '$1$2 = __later(() => $3);')
    // Of a built-in module only `default` and names are used: that needs no copy of all its names, which reads each of them.
    .replaceAll(/__toESM\((require\("node:[\w/]+"\))(?:, 1)?\)/g, '__builtIn($1)')
    // `new x().Y()` would make an x: the call has to stand in parentheses of its own there.
    .replaceAll(/\bnew (import_\w+)(?=\.)/g, 'new ($1())')
    .replaceAll(/\bimport_\w+(?=\.)/g, '$&()');
  const missed = /\bimport_\w+(?!\w|\(\)|;| = __later).{0,40}/.exec(later.replaceAll(declaration, ''));
  if (missed !== null) throw new Error(`Cannot load a module later: "${missed[0]}" is in no known form`);
  return later;
}
