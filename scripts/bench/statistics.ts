/** What is told of a series of samples; all in the unit of the samples. */
export interface Summary {
  readonly n: number;
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
  readonly min: number;
  readonly max: number;
}

/** Value below which the share `p` (0 to 1) of the samples lies, interpolated between neighbours. */
export function quantile(samples: readonly number[], p: number): number {
  if (samples.length === 0) throw new RangeError('Cannot take a quantile: no samples, want at least 1');
  const sorted = [...samples].sort((a, b) => a - b);
  const position = p * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
}

/** Median and spread of a series. */
export function summarize(samples: readonly number[]): Summary {
  return {
    n: samples.length,
    median: quantile(samples, 0.5),
    q1: quantile(samples, 0.25),
    q3: quantile(samples, 0.75),
    min: quantile(samples, 0),
    max: quantile(samples, 1),
  };
}

/** The 99th percentile as the figure that is compared, with the spread of the whole series beside it. */
export function summarizeTail(samples: readonly number[]): Summary {
  return { ...summarize(samples), median: quantile(samples, 0.99) };
}

/** A figure that was taken once. */
export function single(value: number): Summary {
  return summarize([value]);
}
