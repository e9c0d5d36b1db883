/** Ways to paint a word. Without colour each returns the word as it is. */
export interface Style {
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
}

const sgr = (code: number) => (text: string) => (text === '' ? '' : `\u001B[${code}m${text}\u001B[0m`);
const plain = (text: string): string => text;

const colour: Style = { good: sgr(32), warn: sgr(33), bad: sgr(31), dim: sgr(2), bold: sgr(1) };
const colourless: Style = { good: plain, warn: plain, bad: plain, dim: plain, bold: plain };

/** Colour only on a terminal that can show it, and never against NO_COLOR (no-color.org: any value but the empty one). */
export function chooseStyle(
  isTerminal: boolean,
  env: { readonly NO_COLOR?: string | undefined; readonly TERM?: string | undefined },
): Style {
  const isUnwanted = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  return isTerminal && !isUnwanted ? colour : colourless;
}
