import { readdir, readFile } from 'node:fs/promises';
import { build } from 'esbuild';

/** Valibot's pattern of emoji: V8 asks ICU for its classes at every start, which takes longer than all our own modules. */
const withoutEmoji = {
  name: 'without-emoji',
  setup({ onLoad }) {
    onLoad({ filter: /valibot\/dist\/index\.mjs$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const contents = text.replace(/^const EMOJI_REGEX = .*;$/m, 'const EMOJI_REGEX = void 0;');
      if (contents === text)
        throw new Error('Cannot leave out the pattern of emoji: valibot has it elsewhere now');
      return { contents, loader: 'js' };
    });
  },
};

/** A tenth of Valibot is used. A module that requires a package gets all of it, so it gets a module of what ours use. */
export const usedOfValibot = {
  name: 'used-of-valibot',
  setup({ onLoad, onResolve, initialOptions: { target } }) {
    onResolve({ filter: /^valibot$/ }, () => ({ path: 'valibot', namespace: 'used' }));
    onLoad({ filter: /.*/, namespace: 'used' }, async () => {
      const outcome = await build({
        stdin: { contents: `export { ${(await usedNames()).join(', ')} } from 'valibot';`, resolveDir: '.' },
        bundle: true,
        format: 'cjs',
        target,
        plugins: [withoutEmoji],
        write: false,
      });
      return { contents: outcome.outputFiles[0].text, loader: 'js' };
    });
  },
};

async function usedNames() {
  const files = (await readdir('agent', { recursive: true })).filter((path) => path.endsWith('.ts'));
  const texts = await Promise.all(files.map((path) => readFile(`agent/${path}`, 'utf8')));
  const using = texts.filter((text) => text.includes("from 'valibot'")).join('');
  return [...new Set([...using.matchAll(/\bv\.([a-z]\w+)/g)].map(([, name]) => name))].sort();
}
