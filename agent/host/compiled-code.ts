import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/** Where the program is and where its compiled form is kept. */
export interface CodePlaces {
  /**
   * JavaScript in ASCII; its first line ends with a sum of the text. The second one may say how many bytes stand behind the
   * program: one function `__packages`, which it takes as a global and calls when it first needs a package.
   */
  readonly code: string;
  /** In a directory of our own; written when there is no form that fits. */
  readonly compiled: string;
}

/** A program that was read, and what may be worth keeping for the next start. */
export interface LoadedCode {
  /** Whether a kept form was used. */
  readonly wasKept: boolean;
  /** Stands for the function behind the program, which is read when it is first called. */
  readonly packages: (...given: readonly unknown[]) => unknown;
  run(): void;
  /** Keeps what V8 has compiled so far, unless a kept form was used. Never rejects: a disk that takes none is no trouble. */
  keep(): Promise<void>;
}

const headerBytes = 256;
/** Of the text, with the two lines that tell about the rest. */
const headBytes = 200;
const programEnd = ', __packages);\n';
const title = 'oh-edge-agent compiled code 1';

/**
 * Reads a program with the code that V8 compiled for it at an earlier start; compiling was half of the time until the API
 * answered. Node's own cache (NODE_COMPILE_CACHE) exists since Node 22 only, looks at neither owner nor mode, and is written
 * at an orderly exit, which a board seldom has.
 */
export function loadCode({ code, compiled }: CodePlaces): LoadedCode {
  const { text, size, mtimeMs, packages } = readProgram(code);
  // The sum tells versions apart where all files have one time; size and time show a file that was edited by hand.
  const sum = /\/\/ (\w{64})\n/.exec(text.slice(0, headBytes))?.[1] ?? '';
  const key = [process.version, process.arch, size, mtimeMs, sum].join(' ');
  const cachedData = readKept(compiled, key);
  const script = new Script(text, {
    filename: code,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const wasKept = cachedData !== undefined && script.cachedDataRejected === false;
  return {
    wasKept,
    packages,
    run: () => void script.runInThisContext(),
    keep: async () => (wasKept ? undefined : writeKept(compiled, key, script.createCachedData())),
  };
}

interface ProgramText extends Pick<LoadedCode, 'packages'> {
  readonly text: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** Reads a program without what stands behind it: half of the text, which most starts never need, let alone before they answer. */
function readProgram(file: string): ProgramText {
  const descriptor = openSync(file, 'r');
  const { size, mtimeMs } = fstatSync(descriptor);
  const read = (from: number, to: number): string => {
    const bytes = Buffer.allocUnsafeSlow(to - from);
    return bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, bytes.length, from));
  };
  const behind = Number(/\n\/\/ behind: (\d+)\n/.exec(read(0, Math.min(size, headBytes)))?.[1] ?? 0);
  const text = read(0, Math.max(0, size - behind));
  if (behind > 0 && text.endsWith(programEnd)) {
    // The file stays open: an update or a deployment may take it away while the agent runs.
    const lineOffset = text.split('\n').length - 1;
    const load = (): unknown =>
      new Script(`(${read(size - behind, size)})`, { filename: file, lineOffset }).runInThisContext();
    return { text, size, mtimeMs, packages: (...given) => (load() as LoadedCode['packages'])(...given) };
  }
  // Edited by hand, or nothing stands behind it; as Node would run it.
  const whole = behind > 0 ? read(0, size) : text;
  closeSync(descriptor);
  return { text: whole, size, mtimeMs, packages: () => undefined };
}

/**
 * V8 takes a damaged form without a word and runs it (Node 20 and 22 do not compute its own checksum), hence ours. Whoever
 * can write the file rules the agent, so it must be ours and nobody else's.
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
    if (uid !== process.geteuid?.() || (mode & 0o7777) !== 0o600 || size <= headerBytes) return undefined;
    const bytes = readFileSync(descriptor);
    const data = bytes.subarray(headerBytes);
    return bytes.toString('latin1', 0, headerBytes) === header(key, data) ? data : undefined;
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
      await handle.writeFile(Buffer.concat([Buffer.from(header(key, data), 'latin1'), data]));
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

/** Fixed length, because V8 copies data that does not begin at a multiple of eight bytes. */
function header(key: string, data: Uint8Array): string {
  const text = `${title}\n${key}\n${data.length} ${crc32(data)}\n`;
  return text.padEnd(headerBytes, ' ').slice(0, headerBytes);
}
