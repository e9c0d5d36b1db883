import type { EnumRow, Key, keys } from './keys.ts';

type ValueOf<R> = R extends EnumRow<infer V> ? V : R extends { readonly default: infer D } ? Widen<D> : never;
type Widen<D> = D extends boolean ? boolean : D extends number ? number : D extends string ? string : D;

/** The whole configuration, frozen: one entry per key of the table, defaults filled in. */
export type Config = { readonly [K in Key]: ValueOf<(typeof keys)[K]> };

/** One thing that is wrong with a configuration file. */
export interface Problem {
  /** Dotted key, or empty where the file as a whole is meant. */
  readonly path: string;
  /** 1-based line in the file where known. */
  readonly line?: number;
  /** What is there and what is wanted. */
  readonly message: string;
}
