import type { LogLine, LogsDocument } from './wire.ts';

/** Most characters of log text in one answer: a board's memory is small and a terminal scrolls no further. */
const maxCharacters = 2_000_000;

/** Reads all lines and keeps the newest that fit into one answer. */
export async function collectLines(
  source: AsyncIterable<LogLine>,
  limit = maxCharacters,
): Promise<LogsDocument> {
  const lines: LogLine[] = [];
  for await (const line of source) lines.push(line);
  return boundLines(lines, limit);
}

/** Keeps the newest lines that fit into one answer and says whether older ones were left out. */
function boundLines(lines: readonly LogLine[], limit: number): LogsDocument {
  let left = limit;
  let first = lines.length;
  for (const line of lines.toReversed()) {
    left -= line.text.length + 80;
    if (left < 0) break;
    first -= 1;
  }
  return { lines: lines.slice(first), truncated: first > 0 };
}
