// Makes of esbuild's output what a board reads at a start: little text, and nothing loaded before it is used.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { transform } from 'esbuild';
import { apart } from './apart.mjs';
import { lazy } from './lazy-imports.mjs';

const given = 'exports, require, module, __filename, __dirname';

/** Writes a bundle and its source map. `isLate` puts modules and packages behind the program, where start.js looks later. */
export async function writeBundle({ path, text, map, version, isLate }) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const parts = isLate === undefined ? { program: lazy(text) } : apart(lazy(text), isLate);
  const [program, ...behind] = await Promise.all(
    Object.values(parts).map((part) => compact(path, part, map)),
  );
  // Node runs this as any other file, and start.js as a script with the code that V8 compiled at an earlier start: then what
  // Node gives to a module is global for a moment.
  const names = behind.length > 0 ? `${given}, __late, __packages` : given;
  const end = `//# sourceMappingURL=${name}.map\n`;
  const texts = [`(function (${names}) {\n${program.code}})(${names});\n`, ...behind.map(({ code }) => code)];
  const sum = createHash('sha256').update(texts.join('')).digest('hex');
  const title = `/* oh-edge-agent ${name.replace('.js', '')} ${version} */ // ${sum}\n`;
  const lineAt = (count) => lines(texts.slice(0, count).join('')) + 3;
  const places = texts.slice(1).map((text, index) => `${text.length} ${lineAt(index + 1)}`);
  const head = `${title}${places.length > 0 ? `// behind: ${places.join(' ')} ${end.length}` : ''}\n`;
  const code = `${head}${texts.join('')}${end}`;
  // start.js reads it byte by byte: other characters would be torn.
  if (/[^\0-\x7f]/.test(code)) throw new Error(`Cannot accept ${path}: it is not ASCII`);
  await writeFile(path, code);
  const sections = [program, ...behind].map((part, index) => ({
    // From 0; the program's first line is that of its wrapper.
    offset: { line: index === 0 ? 3 : lineAt(index) - 1, column: 0 },
    map: JSON.parse(part.map),
  }));
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
