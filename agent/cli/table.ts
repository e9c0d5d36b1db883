/** One cell: its text and how it is painted. Width is counted before painting. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** Narrowest last column in characters that is still wrapped rather than cut by the terminal. */
const narrowest = 20;
const gap = '  ';

/** Lines of a table whose last column is wrapped at word ends so that nothing is wider than `columns`. */
export function tableLines(rows: readonly (readonly (Cell | string)[])[], columns: number): string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? { text: cell } : cell)));
  const last = Math.max(0, ...cells.map((row) => row.length - 1));
  const widths = Array.from({ length: last }, (_, index) =>
    Math.max(0, ...cells.map((row) => row[index]?.text.length ?? 0)),
  );
  const indent = widths.reduce((sum, width) => sum + width + gap.length, 0);
  const room = Math.max(columns - indent, narrowest);
  return cells.flatMap((row) => rowLines(row, { widths, indent, room }));
}

interface Layout {
  readonly widths: readonly number[];
  readonly indent: number;
  readonly room: number;
}

function rowLines(row: readonly Cell[], { widths, indent, room }: Layout): string[] {
  const front = widths.map((width, index) => pad(row[index] ?? { text: '' }, width) + gap).join('');
  const last = row[widths.length] ?? { text: '' };
  const paint = last.paint ?? ((text: string) => text);
  return wrapText(last.text, room).map((line, index) =>
    `${index === 0 ? front : ' '.repeat(indent)}${paint(line)}`.trimEnd(),
  );
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
