import { lazyBanner } from './lazy-imports.mjs';

/** What esbuild writes for each CommonJS module, and so for each of ours after `asRooms`: its name and its path. */
const commonModule = /^var (require_\w+) = __commonJS\(\{\n\s*"([^"]+)"[\s\S]*?^\}\);$/gm;
const requireName = /\brequire_\w+\b/g;

/** Names of the program that a package may not use: it would be run without them. */
const outside =
  /\b(?:__(?:esm|export|copyProps|toESM|toCommonJS|later|asModule|names)|import_\w+|init_\w+|\w+_exports)\b/;

/**
 * Parts a bundle into three: the program, which every start needs before the API answers; our modules that are needed later
 * (`isLate` tells by path); and the packages (YAML, MQTT, WebSocket, tar, metrics), which some boards never need. The second and
 * the third become one function each, `__late` and `__packages`, which the program gets and calls when it first needs something
 * of them. Lines stay where they were in all three, for the source map.
 */
export function apart(text, isLate) {
  const blocks = [...text.matchAll(commonModule)].map(({ 0: code, 1: name, 2: path, index }) => {
    const kind = kindOf(path, isLate);
    const strange = kind === 'packages' ? outside.exec(code) : null;
    if (strange !== null) throw new Error(`Cannot put ${path} apart: it uses "${strange[0]}" of the program`);
    return { code, name, kind, index };
  });
  const namesOf = (kind) => blocks.filter((block) => block.kind === kind).map(({ name }) => name);
  const late = pick(text, blocks, 'late');
  const packages = pick(text, blocks, 'packages');
  const program = blocks.reduce(
    (rest, { code, kind }) => (kind === 'program' ? rest : rest.replace(code, () => blank(code))),
    text,
  );
  const [usedEarly, usedLate, ofLate] = [namesIn(program), namesIn(late), new Set(namesOf('late'))];
  const fromPackages = namesOf('packages').filter((name) => usedEarly.has(name) || usedLate.has(name));
  const fromLate = [...ofLate].filter((name) => usedEarly.has(name));
  const toLate = [...usedLate].filter((name) => !ofLate.has(name));
  const front = [
    'var __ofPackages = __later(() => __packages(require, __commonJS));',
    ...fromPackages.map((name) => `var ${name} = () => __ofPackages().${name}();`),
    `var __ofLate = __later(() => __late(require, __commonJS, { ${toLate.join(', ')} }));`,
    ...fromLate.map((name) => `var ${name} = () => __ofLate().${name}();`),
  ];
  return {
    // Behind the banner, which is the first line.
    program: program.replace('\n', ` ${front.join(' ')}\n`),
    late: `function __late(require, __commonJS, { ${toLate.join(', ')} }) { ${lazyBanner} ${late} return { ${fromLate.join(', ')} }; }`,
    packages: `function __packages(require, __commonJS) { ${packages} return { ${fromPackages.join(', ')} }; }`,
  };
}

function kindOf(path, isLate) {
  if (path.includes('node_modules/')) return 'packages';
  return isLate(path.replace(/^\w+:/, '')) ? 'late' : 'program';
}

function namesIn(text) {
  return new Set(text.match(requireName) ?? []);
}

/** The modules of one kind, on the lines where they were. */
function pick(text, blocks, wanted) {
  let end = 0;
  const parts = blocks
    .filter(({ kind }) => kind === wanted)
    .map(({ code, index }) => {
      const before = blank(text.slice(end, index));
      end = index + code.length;
      return before + code;
    });
  return parts.join('');
}

function blank(text) {
  return text.replaceAll(/[^\n]+/g, '');
}
