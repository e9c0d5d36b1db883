import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Part, PartSource } from '../../scripts/parts/part.ts';

/** A folder that goes away with the test. */
export async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'parts-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function sha(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
  return createHash(algorithm).update(bytes).digest('hex');
}

/** What an entry of a test archive looks like; `type` as tar-stream names it. */
export interface SampleEntry {
  readonly name: string;
  readonly body?: Buffer;
  readonly type?: 'file' | 'link' | 'symlink' | 'directory' | 'block-device' | 'character-device' | 'fifo';
  readonly linkname?: string;
}

/** A .tar.gz with exactly these entries, hostile ones included. */
export async function tarGz(entries: readonly SampleEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { name, body = Buffer.alloc(0), type = 'file', linkname = '' } of entries) {
    tar.entry({ name, type, linkname, size: body.length }, body);
  }
  tar.finalize();
  return gzipSync(await buffer(tar));
}

/** The smallest ELF file that reads as a static aarch64 program, with a tail to tell programs apart. */
export function staticProgram(tail = ''): Buffer {
  return Buffer.concat([elf({ machine: 183, segments: [] }), Buffer.from(tail)]);
}

/** A program that asks for a loader. */
export function dynamicProgram(loader: string): Buffer {
  const name = Buffer.from(`${loader}\0`);
  const offset = 64 + 56;
  return Buffer.concat([elf({ machine: 183, segments: [{ type: 3, offset, size: name.length }] }), name]);
}

/** A static program of another machine. */
export function foreignProgram(): Buffer {
  return elf({ machine: 62, segments: [] });
}

interface SampleElf {
  readonly machine: number;
  readonly segments: readonly { readonly type: number; readonly offset: number; readonly size: number }[];
}

function elf({ machine, segments }: SampleElf): Buffer {
  const header = Buffer.alloc(64 + segments.length * 56);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(machine, 18);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(segments.length, 56);
  for (const [index, { type, offset, size }] of segments.entries()) {
    const at = 64 + index * 56;
    header.writeUInt32LE(type, at);
    header.writeBigUInt64LE(BigInt(offset), at + 8);
    header.writeBigUInt64LE(BigInt(size), at + 32);
  }
  return header;
}

type Download = Extract<PartSource, { kind: 'download' }>;

/** A part `tool` with one static program, changed as a test needs. */
export function samplePart(url: string, change: Partial<Download> = {}): Part {
  return {
    name: 'tool',
    version: '1.0.0',
    architecture: 'arm64',
    licence: 'MIT',
    source: {
      kind: 'download',
      url,
      checksum: { kind: 'first-use' },
      size: null,
      sizeLimit: 10_000_000,
      archive: 'file',
      ...change,
    },
    files: [{ from: 'tool/tool', to: 'tool', rule: 'static-program' }],
    about: 'a sample',
  };
}
