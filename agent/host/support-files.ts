import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { SupportFiles } from '../core/support-files.ts';
import { localTime } from './calendar.ts';
import { linkTarget, namesIn, readText, readWhole } from './ground-files.ts';
import { waitingThreads } from './proc-reader.ts';

const maxUnpackedBytes = 4_194_304;
/** More lines than this are a disk full of images, not the agent's own files. */
const maxListed = 2_000;
/** What others keep below the home: counted, not listed. */
const opaque = new Set(['docker', 'kubelet']);

/** Reads the board for a support bundle. */
export class HostSupportFiles implements SupportFiles {
  newest(path: string, maxBytes: number): string | undefined {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const { size } = fstatSync(descriptor);
      // Files of /proc say that they are empty.
      if (size === 0) return readFileSync(descriptor).subarray(0, maxBytes).toString('utf8');
      const length = Math.min(size, maxBytes);
      const buffer = Buffer.alloc(length);
      const got = readSync(descriptor, buffer, 0, length, size - length);
      const text = buffer.toString('utf8', 0, got);
      return length === size ? text : text.slice(text.indexOf('\n') + 1);
    } catch {
      return undefined;
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }

  unpacked(path: string): string | undefined {
    try {
      if (!statSync(path).isFile()) return undefined;
      return gunzipSync(readFileSync(path), { maxOutputLength: maxUnpackedBytes }).toString('latin1');
    } catch {
      return undefined;
    }
  }

  names(path: string): readonly string[] {
    return namesIn(path);
  }

  listing(path: string): string {
    const lines: string[] = [];
    list(path, lines);
    return lines.map((line) => `${line}\n`).join('');
  }

  processes(): string {
    return namesIn('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => processLine(Number(pid)))
      .filter((line) => line !== '')
      .join('');
  }
}

function list(path: string, lines: string[]): void {
  if (lines.length >= maxListed) return;
  try {
    const found = lstatSync(path);
    const target = found.isSymbolicLink() ? ` -> ${readlinkSync(path)}` : '';
    const mode = found.mode.toString(8).padStart(6, '0');
    lines.push(
      `${mode} ${found.uid}:${found.gid} ${found.size} ${localTime(found.mtimeMs)} ${path}${target}`,
    );
    if (!found.isDirectory() || opaque.has(path.split('/').at(-1) ?? '')) return;
    for (const name of readdirSync(path).sort()) list(`${path}/${name}`, lines);
  } catch {
    // It went away while it was looked at.
  }
}

/** Threads of the kernel have no program and are left out. */
function processLine(pid: number): string {
  const program = linkTarget(`/proc/${pid}/exe`);
  const words = program === undefined ? [] : argumentsOf(pid, program);
  if (words.length === 0) return '';
  const status = readText(`/proc/${pid}/status`) ?? '';
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '?';
  const groups = readWhole(`/proc/${pid}/cgroup`).trim().split('\n').join(' ');
  const mounts = linkTarget(`/proc/${pid}/ns/mnt`) ?? '?';
  const numbers = `${pid} parent ${field('PPid')} ${field('State')} ${field('VmRSS')}`;
  return `${numbers} ${mounts} ${groups}\n    ${words.join(' ')}\n`;
}

/**
 * Arguments lie in the memory of the process: where a thread of it waits for a disk that hangs, whoever reads them waits, too, and
 * a bundle is wanted most then.
 */
function argumentsOf(pid: number, program: string): readonly string[] {
  const waiting = waitingThreads(pid, 'D');
  if (waiting.length > 0) return [program, `(its arguments are not read: ${waiting.join(', ')})`];
  return readWhole(`/proc/${pid}/cmdline`).split('\0').filter(Boolean);
}
