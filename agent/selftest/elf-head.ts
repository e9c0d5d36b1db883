/** What the head of an ELF file says about where it can run. */
export interface ElfHead {
  /** Architecture in Docker's words; `unknown (N)` for a machine number without one. */
  readonly architecture: string;
  /** Whether it asks for a loader, i.e. is dynamically linked. */
  readonly hasLoader: boolean;
}

const machines: Readonly<Record<string, string>> = {
  '3/1': '386',
  '40/1': 'arm',
  '62/2': 'amd64',
  '183/2': 'arm64',
  '243/2': 'riscv64',
  '258/2': 'loong64',
};
/** Program header type PT_INTERP (elf(5)). */
const interpreter = 3;

/** Reads the head of a little-endian ELF file; undefined where the bytes are none. */
export function readElfHead(bytes: Uint8Array): ElfHead | undefined {
  const isElf = bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
  if (!isElf || bytes.length < 64) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = view.getUint8(4);
  const machine = view.getUint16(18, true);
  return {
    architecture: machines[`${machine}/${bits}`] ?? `unknown (${machine})`,
    hasLoader: programTypes(view, bits === 2).includes(interpreter),
  };
}

function programTypes(view: DataView, is64: boolean): number[] {
  const start = is64 ? Number(view.getBigUint64(32, true)) : view.getUint32(28, true);
  const size = view.getUint16(is64 ? 54 : 42, true);
  const count = view.getUint16(is64 ? 56 : 44, true);
  const offsets = Array.from({ length: count }, (_, index) => start + index * size);
  return offsets.filter((at) => at + 4 <= view.byteLength).map((at) => view.getUint32(at, true));
}
