import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';
import type { GroundFacts, GroundQuestions, PathFact } from '../core/ground-observed.ts';

const maxTextBytes = 65_536;
/** Shared, because this runs in one go: a buffer of its own for each look would be most of what an idle agent allocates. */
const textBuffer = Buffer.allocUnsafeSlow(maxTextBytes);

/** Text of a small file, or undefined where it cannot be read for whatever reason: an observer never fails for one file. */
export function readText(path: string): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    let length = 0;
    while (length < maxTextBytes) {
      const got = readSync(descriptor, textBuffer, length, maxTextBytes - length, null);
      if (got === 0) break;
      length += got;
    }
    return textBuffer.toString('utf8', 0, length);
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Whole text of a file of /proc, whatever its length; empty where it cannot be read. */
export function readWhole(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Names in a directory, sorted; empty where it cannot be read. */
export function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}

/** Target of a link, or undefined. */
export function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Path of a sysctl: dots separate, a slash inside a name stands for a dot of an interface name, as sysctl(8) has it. */
export function sysctlPath(name: string): string {
  const swapped = name.replace(/[./]/g, (sign) => (sign === '.' ? '/' : '.'));
  return `/proc/sys/${swapped}`;
}

/** Answers about paths and sysctls by reading; synchronous, because each answer takes microseconds. */
export function groundFacts(questions: GroundQuestions): GroundFacts {
  const paths: Record<string, PathFact> = {};
  for (const path of new Set([...questions.paths, ...questions.texts, ...questions.lists])) {
    paths[path] = pathFact(path);
  }
  for (const path of questions.texts) {
    const text = readText(path);
    if (text !== undefined) paths[path] = { ...pathFact(path), ...paths[path], text };
  }
  for (const path of questions.lists)
    paths[path] = { ...pathFact(path), ...paths[path], names: namesIn(path) };
  const sysctls: Record<string, string | undefined> = {};
  for (const name of questions.sysctls) sysctls[name] = readText(sysctlPath(name))?.trim();
  return { paths, sysctls };
}

function pathFact(path: string): PathFact {
  try {
    const found = lstatSync(path);
    const mode = found.mode & 0o7777;
    if (found.isSymbolicLink()) return { kind: 'symlink', mode, target: readlinkSync(path), ...behind(path) };
    if (found.isDirectory()) return { kind: 'directory', mode };
    return { kind: found.isFile() ? 'file' : 'other', mode };
  } catch {
    return { kind: 'absent' };
  }
}

function behind(path: string): Pick<PathFact, 'behind'> {
  try {
    const found = statSync(path);
    if (found.isDirectory()) return { behind: 'directory' };
    return { behind: found.isFile() ? 'file' : 'other' };
  } catch {
    return {};
  }
}
