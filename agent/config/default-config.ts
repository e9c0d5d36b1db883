import type { Config } from './config.ts';
import { keys } from './keys.ts';

/** A configuration file above this many characters is refused unread. */
export const maxConfigLength = 262_144;

/** Every key with its default. */
export function defaultConfig(): Config {
  const pairs = Object.entries(keys).map(([key, row]) => [key, row.default]);
  return Object.freeze(Object.fromEntries(pairs)) as Config;
}
