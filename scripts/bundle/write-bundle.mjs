// Makes of esbuild's output what a board reads at a start: little text, and nothing loaded before it is used.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { transform } from 'esbuild';
import { lazy } from './lazy-imports.mjs';
import { packagesApart } from './packages-apart.mjs';

const given = 'exports, require, module, __filename, __dirname';

/** Writes a bundle and its source map. `isApart` puts the CommonJS packages behind the program, where start.js does not look. */
export async function writeBundle({ path, text, map, version, isApart }) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const { program, packages } = isApart ? packagesApart(lazy(text)) : { program: lazy(text), packages: '' };
  const [front, back] = [await compact(path, program, map), await compact(path, packages, map)];
  // Node runs this as any other file, and start.js as a script with the code that V8 compiled at an earlier start: then what
  // Node gives to a module is global for a moment.
  const names = isApart ? `${given}, __packages` : given;
  const whole = `(function (${names}) {\n${front.code}})(${names});\n`;
  const behind = `${back.code}//# sourceMappingURL=${name}.map\n`;
  const sum = createHash('sha256').update(whole).update(behind).digest('hex');
  const title = `/* oh-edge-agent ${name.replace('.js', '')} ${version} */ // ${sum}\n`;
  const head = `${title}${isApart ? `// behind: ${behind.length}` : ''}\n`;
  const code = `${head}${whole}${behind}`;
  // start.js reads it byte by byte: other characters would be torn.
  if (/[^\0-\x7f]/.test(code)) throw new Error(`Cannot accept ${path}: it is not ASCII`);
  await writeFile(path, code);
  const sections = [
    { offset: { line: 3, column: 0 }, map: JSON.parse(front.map) },
    { offset: { line: lines(head + whole), column: 0 }, map: JSON.parse(back.map) },
  ];
  await writeFile(`${path}.map`, JSON.stringify({ version: 3, file: name, sections }));
}

function lines(text) {
  return text.split('\n').length - 1;
}

/**
 * Names stay, so that a stack trace can be read (and without them a start was no sooner); only white space goes: Node keeps the
 * text in memory as long as it runs.
 */
async function compact(path, text, map) {
  const inline = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`;
  return transform(`${text}\n${inline}\n`, {
    minifyWhitespace: true,
    sourcemap: 'external',
    sourcefile: path,
    target: 'node20',
  });
}
