/** Wraps text in the codes of one look, or leaves it alone where no colour is wanted. */
export type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly yellow: Paint;
  readonly green: Paint;
  readonly cyan: Paint;
}

/** Where a build-host program writes: answers to `out`, complaints to `err`. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly style: Style;
  /** Characters in a line; 100 where the output is no terminal. */
  readonly width: number;
  readonly hasColor: boolean;
}

function paint(open: number, close: number, hasColor: boolean): Paint {
  return hasColor ? (text) => `\u001B[${open}m${text}\u001B[${close}m` : (text) => text;
}

/** The looks of a terminal with colour, or of a file without. */
export function styleFor(hasColor: boolean): Style {
  return {
    bold: paint(1, 22, hasColor),
    dim: paint(2, 22, hasColor),
    red: paint(31, 39, hasColor),
    yellow: paint(33, 39, hasColor),
    green: paint(32, 39, hasColor),
    cyan: paint(36, 39, hasColor),
  };
}

/** A reader that closed its end early (`| head`) has seen enough: no error. */
function ignoreClosedReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** The terminal of this process; colour only where standard output is a terminal and NO_COLOR is unset. */
export function processTerminal(): Terminal {
  const hasColor = process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
  process.stdout.on('error', ignoreClosedReader);
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    style: styleFor(hasColor),
    width: Math.min(process.stdout.columns ?? 100, 120),
    hasColor,
  };
}
