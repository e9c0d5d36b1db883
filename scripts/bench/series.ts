import { type Summary, summarize } from './statistics.ts';

/** Samples by contender, gathered in rounds so that a drift of the machine reaches all of them. */
export class Series {
  readonly #samples = new Map<string, number[]>();

  add(contender: string, ...values: readonly number[]): void {
    const samples = this.#samples.get(contender) ?? [];
    samples.push(...values);
    this.#samples.set(contender, samples);
  }

  has(contender: string): boolean {
    return this.#samples.has(contender);
  }

  samples(contender: string): readonly number[] {
    const samples = this.#samples.get(contender);
    if (samples === undefined) throw new Error(`Cannot summarize "${contender}": it has no samples`);
    return samples;
  }

  summary(contender: string): Summary {
    return summarize(this.samples(contender));
  }
}
