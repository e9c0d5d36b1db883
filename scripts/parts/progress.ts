/** Where a person sees how far downloads are. */
export interface DownloadProgress {
  /** Bytes of a file that are here, and how many there will be; null where the server does not say. */
  at(name: string, bytes: number, total: number | null): void;
  /** One line that stays: a retry, a file that is whole. */
  say(text: string): void;
  /** Removes the bar. */
  end(): void;
}

/** Progress that is shown to nobody. */
export const noProgress: DownloadProgress = {
  at: () => undefined,
  say: () => undefined,
  end: () => undefined,
};

const barWidth = 24;
const redrawMs = 100;

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A bar for all running downloads together on a terminal; lines only where the output is a file. */
export function terminalProgress(output: Output, now: () => number): DownloadProgress {
  const running = new Map<string, { bytes: number; total: number | null }>();
  const isLive = output.isTTY === true;
  let drawnMs = Number.NEGATIVE_INFINITY;
  const erase = (): void => void (isLive && output.write('\r\u001B[K'));
  const draw = (): void => {
    if (isLive) output.write(`\r\u001B[K${barText(running, (output.columns ?? 80) - 1)}`);
    drawnMs = now();
  };
  return {
    at(name, bytes, total) {
      running.set(name, { bytes, total });
      if (now() - drawnMs >= redrawMs) draw();
    },
    say(text) {
      erase();
      output.write(`parts: ${text}\n`);
    },
    end: erase,
  };
}

/** The bar of several downloads as one line of at most `width` characters. */
export function barText(
  running: ReadonlyMap<string, { readonly bytes: number; readonly total: number | null }>,
  width: number,
): string {
  const all = [...running.values()];
  const bytes = all.reduce((sum, one) => sum + one.bytes, 0);
  const isKnown = all.every(({ total }) => total !== null);
  const total = all.reduce((sum, one) => sum + (one.total ?? 0), 0);
  const share = isKnown && total > 0 ? Math.min(1, bytes / total) : 0;
  const filled = Math.floor(share * barWidth);
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}]`;
  const names = [...running].filter(([, one]) => one.bytes !== one.total).map(([name]) => name);
  const much = isKnown ? `${megabytes(bytes)} of ${megabytes(total)}` : megabytes(bytes);
  return `${bar} ${much}  ${names.join(', ')}`.slice(0, width);
}

/** Bytes as a number of megabytes that a person reads. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
