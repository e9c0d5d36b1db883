// Reads what decides whether a program can run on a board: the ELF header, its program headers and its dynamic section.
// The input may be anything at all, so every offset and count is checked before it is followed.

/** Machines of boards, by the number in the header (ELF e_machine). */
const machines: Readonly<Record<number, string>> = {
  3: 'x86',
  40: 'arm',
  62: 'x86_64',
  183: 'aarch64',
  243: 'riscv64',
  258: 'loongarch64',
};

/** The facts of one ELF file; lists are in file order. */
export interface ElfFacts {
  readonly bits: 32 | 64;
  readonly machine: string;
  /** `executable` is fixed to its address; `shared` is a library or a position-independent program. */
  readonly type: 'executable' | 'shared' | 'other';
  /** The loader that the kernel starts instead, or null. */
  readonly interpreter: string | null;
  /** Libraries the loader has to find (DT_NEEDED). */
  readonly needed: readonly string[];
  /** Search paths inside the file (DT_RPATH, DT_RUNPATH). */
  readonly searchPaths: readonly string[];
  /** True when code has to be patched at load time, which hardened kernels refuse (DT_TEXTREL). */
  readonly hasTextRelocations: boolean;
  /** True when the kernel alone can start it: no interpreter and no library. */
  readonly isStatic: boolean;
}

/** What a file is when it is no ELF file this reader accepts, as a sentence. */
export class ElfError extends Error {
  override readonly name = 'ElfError';
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

interface DynamicEntry {
  readonly tag: number;
  readonly value: number;
}

const maxSegments = 512;
const maxDynamicEntries = 8192;
const maxNameBytes = 4096;
const segmentTypes = { load: 1, dynamic: 2, interpreter: 3 };
const tags = { needed: 1, stringTable: 5, stringSize: 10, rpath: 15, textrel: 22, runpath: 29, flags: 30 };
const flagTextrel = 4;

/** A file that is read where it is needed: a board has no memory for 100 MB of edgecore. */
export interface ByteSource {
  readonly length: number;
  /** Bytes at an offset; fewer than asked for where the file ends. */
  read(offset: number, size: number): Uint8Array;
}

/** Little-endian fields at checked offsets. */
class Fields {
  readonly #source: ByteSource;
  readonly is64: boolean;

  constructor(source: ByteSource, is64: boolean) {
    this.#source = source;
    this.is64 = is64;
  }

  #view(offset: number, size: number): DataView {
    const { length } = this.#source;
    if (Number.isSafeInteger(offset) && offset >= 0 && offset + size <= length) {
      const bytes = this.#source.read(offset, size);
      if (bytes.length === size) return new DataView(bytes.buffer, bytes.byteOffset, size);
    }
    throw new ElfError(`Truncated: wants ${size} bytes at offset ${offset}, has ${length} bytes in all`);
  }

  u16(offset: number): number {
    return this.#view(offset, 2).getUint16(0, true);
  }

  u32(offset: number): number {
    return this.#view(offset, 4).getUint32(0, true);
  }

  /** A field as wide as an address of the file. */
  word(offset: number): number {
    if (!this.is64) return this.u32(offset);
    const value = this.#view(offset, 8).getBigUint64(0, true);
    // Anything beyond is no offset into a real file; the next check refuses it.
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
  }
}

/** Reads the facts of an ELF file; throws ElfError when it is none, is cut short, or lies about its tables. */
export function readElf(input: Uint8Array | ByteSource): ElfFacts {
  const bytes = input instanceof Uint8Array ? inMemory(input) : input;
  const fields = readHeader(bytes);
  const segments = readSegments(fields);
  const interpreterAt = segments.find((segment) => segment.type === segmentTypes.interpreter);
  const interpreter = interpreterAt === undefined ? null : readName(bytes, interpreterAt.offset);
  const dynamic = readDynamic(fields, segments);
  const names = (tag: number): string[] => dynamicNames(bytes, segments, dynamic, tag);
  const needed = names(tags.needed);
  const flags = dynamic.find((entry) => entry.tag === tags.flags)?.value ?? 0;
  const type = fields.u16(16);
  const machine = fields.u16(18);
  return {
    bits: fields.is64 ? 64 : 32,
    machine: machines[machine] ?? `machine ${machine}`,
    type: type === 2 ? 'executable' : type === 3 ? 'shared' : 'other',
    interpreter,
    needed,
    searchPaths: [...names(tags.rpath), ...names(tags.runpath)].flatMap((paths) => paths.split(':')),
    hasTextRelocations: dynamic.some((entry) => entry.tag === tags.textrel) || (flags & flagTextrel) !== 0,
    isStatic: interpreter === null && needed.length === 0,
  };
}

function inMemory(bytes: Uint8Array): ByteSource {
  return { length: bytes.length, read: (offset, size) => bytes.subarray(offset, offset + size) };
}

function readHeader(source: ByteSource): Fields {
  const magic = [0x7f, 0x45, 0x4c, 0x46];
  const bytes = source.read(0, 20);
  if (bytes.length < 20 || magic.some((byte, index) => bytes[index] !== byte)) {
    throw new ElfError('Not an ELF file: the first four bytes are not 7f 45 4c 46');
  }
  if (bytes[4] !== 1 && bytes[4] !== 2) throw new ElfError(`Unknown ELF class ${bytes[4]}, want 1 or 2`);
  if (bytes[5] !== 1) throw new ElfError(`Byte order ${bytes[5]} is not little-endian`);
  return new Fields(source, bytes[4] === 2);
}

function readSegments(fields: Fields): Segment[] {
  const { is64 } = fields;
  const start = fields.word(is64 ? 32 : 28);
  const size = fields.u16(is64 ? 54 : 42);
  const count = fields.u16(is64 ? 56 : 44);
  if (count > maxSegments) {
    throw new ElfError(`Claims ${count} program headers, more than ${maxSegments} are not believed`);
  }
  if (count > 0 && size < (is64 ? 56 : 32)) {
    throw new ElfError(`Program headers of ${size} bytes are too small`);
  }
  return Array.from({ length: count }, (_unused, index) => {
    const at = start + index * size;
    return {
      type: fields.u32(at),
      offset: fields.word(at + (is64 ? 8 : 4)),
      address: fields.word(at + (is64 ? 16 : 8)),
      size: fields.word(at + (is64 ? 32 : 16)),
    };
  });
}

function readDynamic(fields: Fields, segments: readonly Segment[]): DynamicEntry[] {
  const segment = segments.find(({ type }) => type === segmentTypes.dynamic);
  if (segment === undefined) return [];
  const width = fields.is64 ? 8 : 4;
  const count = Math.floor(segment.size / (2 * width));
  if (count > maxDynamicEntries) {
    throw new ElfError(`Claims ${count} dynamic entries, more than ${maxDynamicEntries} are not believed`);
  }
  const entries: DynamicEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = segment.offset + index * 2 * width;
    const tag = fields.word(at);
    if (tag === 0) break;
    entries.push({ tag, value: fields.word(at + width) });
  }
  return entries;
}

function dynamicNames(
  bytes: ByteSource,
  segments: readonly Segment[],
  dynamic: readonly DynamicEntry[],
  tag: number,
): string[] {
  const wanted = dynamic.filter((entry) => entry.tag === tag);
  if (wanted.length === 0) return [];
  const table = dynamic.find((entry) => entry.tag === tags.stringTable);
  if (table === undefined) throw new ElfError('Names libraries but has no string table');
  const size = dynamic.find((entry) => entry.tag === tags.stringSize)?.value ?? 0;
  const start = fileOffset(segments, table.value);
  return wanted.map(({ value }) => {
    if (value >= size)
      throw new ElfError(`A name at ${value} lies outside the string table of ${size} bytes`);
    return readName(bytes, start + value);
  });
}

/** Where in the file the byte lies that would be loaded at `address`. */
function fileOffset(segments: readonly Segment[], address: number): number {
  const home = segments.find(
    (segment) =>
      segment.type === segmentTypes.load &&
      address >= segment.address &&
      address < segment.address + segment.size,
  );
  if (home === undefined) throw new ElfError(`No loaded segment holds address ${address}`);
  return home.offset + (address - home.address);
}

function readName(source: ByteSource, start: number): string {
  const bytes = start < source.length ? source.read(start, maxNameBytes + 1) : new Uint8Array();
  const end = bytes.indexOf(0);
  if (end === -1) {
    throw new ElfError(`A name at offset ${start} has no end within ${maxNameBytes} bytes`);
  }
  return new TextDecoder().decode(bytes.subarray(0, end));
}
