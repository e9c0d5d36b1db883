import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Script } from 'node:vm';

/** Where the program is and where its compiled form is kept. */
export interface CodePlaces {
  /**
   * JavaScript in ASCII; its first line ends with a sum of the text. The second one may tell of functions that stand behind the
   * program: for each its bytes and its line, then how many bytes come after the last. The program takes them as globals and
   * calls one when it first needs what is in there.
   */
  readonly code: string;
  /** In a directory of our own; written when there is no form that fits. A function behind the program has its own beside it. */
  readonly compiled: string;
}

/** A program that was read, and what may be worth keeping for the next start. */
export interface LoadedCode {
  /** Whether a kept form was used for all that was read so far. */
  readonly wasKept: boolean;
  /** Stand for the functions behind the program, each of which is read when it is first called. */
  readonly behind: readonly ((...given: readonly unknown[]) => unknown)[];
  run(): void;
  /** Keeps what V8 has compiled so far where no kept form was used. Never rejects: a disk that takes none is no trouble. */
  keep(): Promise<void>;
}

const headerBytes = 256;
/** Of the text, with the two lines that tell about the rest. */
const headBytes = 200;
const programEnd = ', __packages);\n';
const title = 'oh-edge-agent compiled code';

/**
 * Reads a program with the code that V8 compiled for it at an earlier start; compiling was half of the time until the API
 * answered. Node's own cache (NODE_COMPILE_CACHE) exists since Node 22 only, looks at neither owner nor mode, and is written
 * at an orderly exit, which a board seldom has.
 */
export function loadCode({ code, compiled }: CodePlaces): LoadedCode {
  const { text, key, behind } = readProgram(code);
  const parts: Part[] = [];
  const load = (given: PartText, name: string): Part => {
    const part = new Part(given, { file: code, compiled: `${compiled}${name}`, key: `${key}${name}` });
    parts.push(part);
    return part;
  };
  const program = load({ text, line: 1 }, '');
  return {
    get wasKept() {
      return parts.every((part) => part.wasKept);
    },
    behind: behind.map((read, index) => {
      let loaded: LoadedCode['behind'][number] | undefined;
      return (...given) => {
        loaded ??= load(read(), `-${index + 2}`).run() as LoadedCode['behind'][number];
        return loaded(...given);
      };
    }),
    run: () => void program.run(),
    keep: async () => {
      // The program last: where it is kept, all is.
      for (const part of parts.toReversed()) await part.keep();
    },
  };
}

/** A piece of the file. */
interface PartText {
  readonly text: string;
  /** Of its beginning, from 1. */
  readonly line: number;
}

/** One script, with the code that was kept of it. */
class Part {
  readonly wasKept: boolean;
  readonly #script: Script;
  readonly #place: { readonly compiled: string; readonly key: string };

  constructor({ text, line }: PartText, place: { file: string; compiled: string; key: string }) {
    const cachedData = readKept(place.compiled, place.key);
    const kept = cachedData === undefined ? {} : { cachedData };
    this.#script = new Script(text, { filename: place.file, lineOffset: line - 1, ...kept });
    this.wasKept = cachedData !== undefined && this.#script.cachedDataRejected === false;
    this.#place = place;
  }

  run(): unknown {
    return this.#script.runInThisContext();
  }

  async keep(): Promise<void> {
    if (!this.wasKept)
      await writeKept(this.#place.compiled, this.#place.key, this.#script.createCachedData());
  }
}

interface ProgramText {
  readonly text: string;
  /** Tells this text from all others, of other versions of Node too. */
  readonly key: string;
  readonly behind: readonly (() => PartText)[];
}

/** Reads a program without what stands behind it: most of the text, which no start needs before it answers. */
function readProgram(file: string): ProgramText {
  const descriptor = openSync(file, 'r');
  const { size, mtimeMs } = fstatSync(descriptor);
  const read = (from: number, to: number): string => {
    const bytes = Buffer.allocUnsafeSlow(to - from);
    return bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, bytes.length, from));
  };
  const head = read(0, Math.min(size, headBytes));
  // The sum tells versions apart where all files have one time; size and time show a file that was edited by hand.
  const sum = /\/\/ (\w{64})\n/.exec(head)?.[1] ?? '';
  const key = [process.version, process.arch, size, mtimeMs, sum].join(' ');
  const said = /\n\/\/ behind:((?: \d+)+)\n/.exec(head)?.[1] ?? '';
  const places = placesBehind(said.split(' ').slice(1).map(Number), size);
  const text = read(0, places[0]?.from ?? size);
  if (text.endsWith(programEnd)) {
    // The file stays open: an update or a deployment may take it away while the agent runs.
    const behind = places.map(({ from, to, line }) => () => ({ text: `(${read(from, to)})`, line }));
    return { text, key, behind };
  }
  // Edited by hand, or nothing stands behind it; as Node would run it.
  const whole = places.length > 0 ? read(0, size) : text;
  closeSync(descriptor);
  return { text: whole, key, behind: [] };
}

/** Where each function stands; nothing where the numbers do not fit the file. */
function placesBehind(
  numbers: readonly number[],
  size: number,
): readonly { readonly from: number; readonly to: number; readonly line: number }[] {
  const [after = 0] = numbers.slice(-1);
  const pairs = Array.from({ length: (numbers.length - 1) / 2 }, (_, index) =>
    numbers.slice(2 * index, 2 * index + 2),
  );
  let to = size - after;
  const places = pairs.reverse().map(([bytes = 0, line = 0]) => {
    const place = { from: to - bytes, to, line };
    to = place.from;
    return place;
  });
  return to <= 0 ? [] : places.reverse();
}

/**
 * V8 takes a damaged form without a word and runs it (Node 20 and 22 do not compute its own checksum), hence a second copy:
 * comparing takes a tenth of the time that loading node:zlib for a checksum takes. Whoever can write the file rules the
 * agent, so it must be ours and nobody else's.
 */
function readKept(file: string, key: string): Buffer | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  try {
    const { uid, mode, size } = fstatSync(descriptor);
    const bytes = (size - headerBytes) / 2;
    if (uid !== process.geteuid?.() || (mode & 0o7777) !== 0o600 || bytes <= 0) return undefined;
    const head = Buffer.from(header(key, bytes), 'latin1');
    const [seen, data, again] = [headerBytes, bytes, bytes].map((length) => next(descriptor, length));
    return seen?.equals(head) && data?.equals(again ?? seen) ? data : undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

async function writeKept(file: string, key: string, data: Buffer): Promise<void> {
  const fresh = `${file}.new`;
  try {
    await rm(fresh, { force: true });
    const handle = await open(fresh, 'wx', 0o600);
    try {
      await handle.writeFile(Buffer.concat([Buffer.from(header(key, data.length), 'latin1'), data, data]));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, file);
  } catch {
    // Read-only or full: the next start compiles again.
    await rm(fresh, { force: true }).catch(() => undefined);
  }
}

/** The next bytes of a file; fewer where it ends. */
function next(descriptor: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, null));
}

function header(key: string, bytes: number): string {
  return `${title}\n${key}\n${bytes}\n`.padEnd(headerBytes, ' ').slice(0, headerBytes);
}
