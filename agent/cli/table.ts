import { visible } from './visible.ts';

/** One cell: its text and how it is painted. Width is counted before painting. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** Narrowest last column in characters; where less is left, its text goes below the row instead. */
const narrowest = 28;
const gap = '  ';
/** Indent of a text below its row. */
const below = '    ';

/** Lines of a table whose last column is wrapped at word ends so that no line is wider than `columns`. */
export function tableLines(rows: readonly (readonly (Cell | string)[])[], columns: number): string[] {
  const cells = rows.map((row) => row.map(cellOf));
  const last = Math.max(0, ...cells.map((row) => row.length - 1));
  const widths = Array.from({ length: last }, (_, index) =>
    Math.max(0, ...cells.map((row) => row[index]?.text.length ?? 0)),
  );
  const indent = widths.reduce((sum, width) => sum + width + gap.length, 0);
  const room = columns - indent;
  const longest = Math.max(0, ...cells.map((row) => row[last]?.text.length ?? 0));
  return cells.flatMap((row) =>
    room >= Math.min(narrowest, longest)
      ? rowLines(row, { widths, indent, room })
      : stackedLines(row, { widths, indent, room: columns - below.length }),
  );
}

interface Layout {
  readonly widths: readonly number[];
  readonly indent: number;
  readonly room: number;
}

function rowLines(row: readonly Cell[], { widths, indent, room }: Layout): string[] {
  const front = frontOf(row, widths);
  return lastLines(row, widths, room).map((line, index) =>
    `${index === 0 ? front : ' '.repeat(indent)}${line}`.trimEnd(),
  );
}

function stackedLines(row: readonly Cell[], { widths, room }: Layout): string[] {
  const lines = [frontOf(row, widths), ...lastLines(row, widths, room).map((line) => below + line)];
  return lines.map((line) => line.trimEnd()).filter((line) => line !== '');
}

function frontOf(row: readonly Cell[], widths: readonly number[]): string {
  return widths.map((width, index) => pad(row[index] ?? { text: '' }, width) + gap).join('');
}

function lastLines(row: readonly Cell[], widths: readonly number[], room: number): string[] {
  const { text, paint = (line: string) => line } = row[widths.length] ?? { text: '' };
  return wrapText(text, room).map(paint);
}

function cellOf(cell: Cell | string): Cell {
  if (typeof cell === 'string') return { text: visible(cell) };
  return { ...cell, text: visible(cell.text) };
}

function pad({ text, paint }: Cell, width: number): string {
  return (paint?.(text) ?? text) + ' '.repeat(width - text.length);
}

/** Breaks a text at spaces into lines of at most `width`; a longer word stands alone. At least one line. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
