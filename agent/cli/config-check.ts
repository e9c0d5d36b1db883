import type { Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';
import { visible } from './visible.ts';

/** Exit code of a wrong configuration: an init must not restart for it. */
const wrongConfig = 78;

/** Names every problem of a configuration file. */
export const run: Run = async (ctx, input) => {
  const file = input.args[0] ?? '';
  const problems = await ctx.local.checkConfig(await ctx.local.readFile(file));
  if (hasFlag(input, 'json')) printJson(ctx, { file, problems });
  else if (problems.length === 0) ctx.out(`${file}: no problems`);
  for (const { path, line, message } of hasFlag(input, 'json') ? [] : problems) {
    const place = line === undefined ? file : `${file}:${line}`;
    ctx.err(visible(`${place}: ${path === '' ? 'the file' : path} ${message}`));
  }
  return problems.length === 0 ? 0 : wrongConfig;
};
