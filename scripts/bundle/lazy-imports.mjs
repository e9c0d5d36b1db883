/** One of our modules after `asRooms`, as esbuild writes it. */
const room = /^var require_\w+ = __commonJS\(\{\n\s*"room:[\s\S]*?^\}\);$/gm;

/** What stands for an import of another module or of a package. */
const required = /^ *var (import_\w+) = (require_\w+)\(\);$/gm;
/** The same where it is not a module of ours that imports, or where more has to be done; and of a built-in module. */
const otherwise =
  /^( *var import_\w+ = )(?:__\w+\()?(require(?:_\w+\(\)|\("node:[\w/]+"\)))(?:(?:, 1)?\))?;$/gm;

/** What `lazy` and `asRooms` need in front of a bundle. */
export const lazyBanner = [
  'const __later = (load) => { let module; return () => (module ??= load()); };',
  // Only `default` and names are used of a module: that needs no copy of all its names, which reads each of them.
  'const __asModule = (module) => (module.__esModule ? module : { __proto__: module, default: module });',
].join(' ');

/**
 * Lets each module, each package and each built-in module be loaded when something of it is first used: the API answers before
 * node:crypto, node:child_process, the YAML parser and most of ours are needed, and a command of agentctl needs few of them.
 * Lines stay where they were, for the source map.
 */
export function lazy(text) {
  const later = text
    .replaceAll(room, direct)
    .replaceAll(otherwise, '$1__later(() => __asModule($2));')
    // `new x().Y()` would make an x: the call has to stand in parentheses of its own there.
    .replaceAll(/\bnew (import_\w+)(?=\.)/g, 'new ($1())')
    .replaceAll(/\bimport_\w+(?=\.)/g, '$&()');
  const missed = /\bimport_\w+(?!\w|\(\)|;| = __later).{0,40}/.exec(later);
  if (missed !== null) throw new Error(`Cannot load a module later: "${missed[0]}" is in no known form`);
  return later;
}

/** A module's names for those that it imports become calls of what loads them, which remembers what it loaded. */
function direct(block) {
  const rooms = new Map();
  return block
    .replaceAll(required, (_, name, load) => {
      rooms.set(name, load);
      return '';
    })
    .replaceAll(/\b(new )?(import_\w+)(?=\.)/g, (all, made, name) => {
      const load = rooms.get(name);
      if (load === undefined) return all;
      return made === undefined ? `${load}()` : `new (${load}())`;
    });
}
