import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs';
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
 * at an orderly exit, which a board seldom has. Threads of Node's read both files; `meanwhile` is done while they do.
 */
export async function loadCode(
  { code, compiled }: CodePlaces,
  meanwhile: () => void = () => undefined,
): Promise<LoadedCode> {
  const program = openProgram(code);
  const reading = [program.text, readKept(compiled, program.key)] as const;
  meanwhile();
  const [text, cachedData] = await Promise.all(reading);
  const script = new Script(text, {
    filename: code,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const wasKept = cachedData !== undefined && script.cachedDataRejected === false;
  return {
    wasKept,
    packages: (...given) => program.packages(text)(...given),
    run: () => void script.runInThisContext(),
    keep: async () => (wasKept ? undefined : writeKept(compiled, program.key, script.createCachedData())),
  };
}

interface Program {
  /** Tells it from every other version. */
  readonly key: string;
  readonly text: Promise<string>;
  readonly packages: (text: string) => LoadedCode['packages'];
}

/** Begins to read a program without what stands behind it: half of the text, which most starts never need, let alone before they answer. */
function openProgram(file: string): Program {
  const descriptor = openSync(file, 'r');
  const { size, mtimeMs } = fstatSync(descriptor);
  const start = Buffer.alloc(headBytes);
  const head = start.toString('latin1', 0, readSync(descriptor, start, 0, headBytes, 0));
  // The sum tells versions apart where all files have one time; size and time show a file that was edited by hand.
  const sum = /\/\/ (\w{64})\n/.exec(head)?.[1] ?? '';
  const behind = Number(/\n\/\/ behind: (\d+)\n/.exec(head)?.[1] ?? 0);
  const end = behind < size ? size - behind : size;
  return {
    key: [process.version, process.arch, size, mtimeMs, sum].join(' '),
    text: readText(descriptor, 0, end).then(async (text) => {
      // The file stays open: an update or a deployment may take it away while the agent runs.
      if (end < size && text.endsWith(programEnd)) return text;
      // Edited by hand, or nothing stands behind it; as Node would run it.
      const whole = end < size ? await readText(descriptor, 0, size) : text;
      closeSync(descriptor);
      return whole;
    }),
    packages: (text) => {
      const bytes = Buffer.alloc(behind);
      const functionText = bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, behind, end));
      const lineOffset = text.split('\n').length - 1;
      return new Script(`(${functionText})`, {
        filename: file,
        lineOffset,
      }).runInThisContext() as LoadedCode['packages'];
    },
  };
}

async function readText(descriptor: number, from: number, to: number): Promise<string> {
  return (await readBytes(descriptor, from, to)).toString('latin1');
}

function readBytes(descriptor: number, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(to - from);
  return new Promise((resolve, reject) => {
    read(descriptor, bytes, 0, bytes.length, from, (error, count) => {
      if (error === null) resolve(bytes.subarray(0, count));
      else reject(error);
    });
  });
}

/**
 * V8 takes a damaged form without a word and runs it (Node 20 and 22 do not compute its own checksum), hence ours. Whoever
 * can write the file rules the agent, so it must be ours and nobody else's.
 */
async function readKept(file: string, key: string): Promise<Buffer | undefined> {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  try {
    const { uid, mode, size } = fstatSync(descriptor);
    if (uid !== process.geteuid?.() || (mode & 0o7777) !== 0o600 || size <= headerBytes) return undefined;
    const bytes = await readBytes(descriptor, 0, size);
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
