/** First and last line of the part of a file that `merge` owns; everything else in the file is the product's. */
const begin =
  '# oh-edge-agent: written by "npm run kconfig -- merge", which replaces everything up to the end line';
const end = '# oh-edge-agent: end';

/** The text without our block. */
export function withoutBlock(text: string): string {
  const lines = text.split('\n');
  const first = lines.indexOf(begin);
  if (first === -1) return text;
  const last = lines.indexOf(end, first);
  if (last === -1) return lines.slice(0, first).join('\n');
  return [...lines.slice(0, first), ...lines.slice(last + 1)].join('\n');
}

/** The text with `block` as its last part, where the last line wins; without a block the text alone. */
export function withBlock(text: string, block: string): string {
  const own = withoutBlock(text);
  if (block === '') return own;
  const before = own === '' || own.endsWith('\n') ? own : `${own}\n`;
  return `${before}${begin}\n${block}${end}\n`;
}
