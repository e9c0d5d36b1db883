/** What esbuild writes for each module of a CommonJS package. */
const commonModule = /^var (require_\w+) = __commonJS\(\{\n[\s\S]*?^\}\);$/gm;

/** Names of esbuild's own and of our modules; a package may use none of them but `__commonJS`. */
const outside =
  /\b(?:__(?!commonJS\b)(?:esm|export|copyProps|toESM|toCommonJS|later|builtIn)|import_\w+|init_\w+|\w+_exports)\b/;

/**
 * Parts a bundle into the program and the CommonJS packages in it (YAML, MQTT, WebSocket, tar, metrics): half of the text, and
 * no start needs them before the API answers. The packages become one function, which the program gets as `__packages` and
 * calls when it first needs one. Lines stay where they were in both, for the source map.
 */
export function packagesApart(text) {
  const blocks = [...text.matchAll(commonModule)];
  const rest = text.replaceAll(commonModule, blank);
  const used = blocks.map(([, name]) => name).filter((name) => new RegExp(`\\b${name}\\b`).test(rest));
  for (const [block, name] of blocks) {
    const strange = outside.exec(block);
    if (strange !== null) throw new Error(`Cannot put ${name} apart: it uses "${strange[0]}" of the program`);
  }
  const getters = used.map((name) => `var ${name} = () => __package().${name}();`).join(' ');
  // Behind the banner, which is the first line.
  const program = rest.replace(
    '\n',
    ` var __package = __later(() => __packages(require, __commonJS)); ${getters}\n`,
  );
  let end = 0;
  const kept = blocks.map((block) => {
    const before = blank(text.slice(end, block.index));
    end = block.index + block[0].length;
    return before + block[0];
  });
  const packages = `function __packages(require, __commonJS) { ${kept.join('')} return { ${used.join(', ')} }; }`;
  return { program, packages };
}

function blank(text) {
  return text.replaceAll(/[^\n]+/g, '');
}
