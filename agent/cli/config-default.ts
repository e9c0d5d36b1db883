import type { Run } from './command.ts';

/** Prints the default configuration file, ready to be redirected. */
export const run: Run = async (ctx) => {
  ctx.out((await ctx.local.defaultConfigFile()).trimEnd());
  return 0;
};
