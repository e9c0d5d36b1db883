import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { transform } from 'esbuild';

/** Helpers that esbuild writes at the top of each module it converts; `lazyBanner` has what is used of them, once. */
const helper = /^var __\w+ = (?:.*;|(?:.*\n)*?(?:\}|\)\));)$/gm;
/** Getters of what is exported; nothing that is exported changes, so plain values do. */
const exported =
  /^var (\w+_exports) = \{\};\n__export\(\1, (\{[^}]*\})\);\nmodule\.exports = __toCommonJS\(\1\);$/m;
const annotation = /^\/\/ Annotate the CommonJS export names.*\n0 && \(module\.exports = \{[^}]*\}\);$/m;

/**
 * Makes a function of each of our modules, which runs when something of it is first used, in place of one scope for all: most of
 * the agent is not needed before the API answers, and much of it never.
 */
export const asRooms = {
  name: 'as-rooms',
  setup({ onLoad, onResolve, initialOptions: { target, supported } }) {
    // A namespace of its own, because package.json says that all files here are ES modules.
    onResolve({ filter: /\.ts$/ }, ({ path, resolveDir }) => ({
      path: relative('.', resolve(resolveDir, path)),
      namespace: 'room',
    }));
    onLoad({ filter: /.*/, namespace: 'room' }, async ({ path }) => {
      const options = { loader: 'ts', format: 'cjs', platform: 'node', target, supported };
      const { code, map } = await transform(await readFile(path, 'utf8'), {
        ...options,
        sourcemap: 'external',
        sourcefile: path,
      });
      const inline = Buffer.from(map).toString('base64');
      const contents = `${common(path, code)}\n//# sourceMappingURL=data:application/json;base64,${inline}\n`;
      return { contents, loader: 'js', resolveDir: dirname(path) };
    });
  },
};

/** Lines stay where they were, for the source map. */
function common(path, code) {
  const [, , names = '{}'] = exported.exec(code) ?? [];
  const text = `${code
    .replace(annotation, blank)
    .replaceAll(helper, blank)
    .replace(exported, blank)
    .replaceAll(
      '__toESM(',
      '__asModule(',
    )}\nmodule.exports = ${names.replaceAll(': () => ', ': ').replaceAll('\n', ' ')};`;
  const strange = /^var __\w+ =.*|\b__(?:export|reExport|toESM|toCommonJS|copyProps)\b|\w+_exports\b/m.exec(
    text,
  );
  if (strange !== null) throw new Error(`Cannot make a room of ${path}: "${strange[0]}" is in no known form`);
  return text;
}

function blank(text) {
  return text.replaceAll(/[^\n]+/g, '');
}
