/** How evenly moments are spread over a window. */
export interface Spread {
  readonly count: number;
  /** Per second: mean over the window, and the busiest bin. */
  readonly mean: number;
  readonly peak: number;
  /** Seconds after the beginning until the last of them. */
  readonly lastSeconds: number;
}

/** Looks at moments from `fromMs` on, in bins of `binMs`; the mean is that of the window. */
export function spreadOf(
  moments: readonly number[],
  { fromMs, windowMs, binMs }: { readonly fromMs: number; readonly windowMs: number; readonly binMs: number },
): Spread {
  const bins = new Map<number, number>();
  let last = fromMs;
  let count = 0;
  for (const at of moments) {
    if (at < fromMs) continue;
    count += 1;
    last = Math.max(last, at);
    const bin = Math.floor((at - fromMs) / binMs);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  const busiest = Math.max(0, ...bins.values());
  return {
    count,
    mean: count / (windowMs / 1_000),
    peak: busiest / (binMs / 1_000),
    lastSeconds: (last - fromMs) / 1_000,
  };
}

/** The bins of a window as a line of blocks, for people. */
export function sparkline(moments: readonly number[], fromMs: number, untilMs: number): string {
  const bins = Array.from({ length: 60 }, () => 0);
  for (const at of moments) {
    const bin = Math.floor(((at - fromMs) / (untilMs - fromMs)) * bins.length);
    if (bin >= 0 && bin < bins.length) bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const top = Math.max(1, ...bins);
  return bins.map((count) => ' ▁▂▃▄▅▆▇█'[Math.ceil((count / top) * 8)]).join('');
}
