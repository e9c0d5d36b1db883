/** Breaks text into lines of at most `width` characters at spaces; a longer word keeps its own line. */
function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line === '') line = word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** Text as an indented block: the first line after `first`, the others after as many spaces. */
export function hangingText(first: string, text: string, width: number): string {
  const indent = ' '.repeat(first.length);
  const lines = wrapText(text, Math.max(20, width - first.length));
  return lines.map((line, index) => (index === 0 ? first : indent) + line).join('\n');
}
