import type { Measurement } from './result.ts';
import type { Stage } from './stage.ts';
import type { AgentProduct } from './subjects/agent.ts';
import type { Subject } from './subjects/subject.ts';

/** What a benchmark is given. */
export interface Context {
  /** Fewer samples and shorter windows; the figures are then only a first look. */
  readonly isQuick: boolean;
  /** The Node that runs the agent and every reference written for Node. */
  readonly node: string;
  readonly agent: AgentProduct;
  /** References that are there on this machine. */
  readonly peers: readonly Subject[];
  /** Folders and contenders of this one benchmark. */
  readonly stage: Stage;
  /** Tells on standard error how far the benchmark is. */
  readonly say: (text: string) => void;
}

/** One benchmark. Its name and each of its wider words choose all its rows, a group of its rows only those. */
export interface Benchmark {
  readonly name: string;
  readonly groups: readonly string[];
  readonly wider?: readonly string[];
  /** Runs only when one of its words is given. */
  readonly isOnDemand?: boolean;
  /** What is measured, and on what. */
  readonly about: string;
  run(context: Context): Promise<readonly Measurement[]>;
}

type Words = Pick<Benchmark, 'name' | 'groups' | 'wider'>;

/** Every word that chooses something of a benchmark. */
export function wordsOf({ name, groups, wider = [] }: Words): readonly string[] {
  return [name, ...groups, ...wider];
}

/** Whether a row of a benchmark is shown; without any word every row is. */
export function isRowWanted(benchmark: Words, group: string, words: readonly string[]): boolean {
  const { name, wider = [] } = benchmark;
  return words.length === 0 || [name, group, ...wider].some((word) => words.includes(word));
}
