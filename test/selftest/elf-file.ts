/** Smallest ELF file with a certain head; it could not run. */
export function elfFile(facts: {
  readonly machine: number;
  readonly bits: 32 | 64;
  readonly hasLoader?: boolean;
}): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  const is64 = facts.bits === 64;
  bytes.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, 1, 1]);
  view.setUint16(18, facts.machine, true);
  if (is64) view.setBigUint64(32, 64n, true);
  else view.setUint32(28, 52, true);
  const size = is64 ? 56 : 32;
  view.setUint16(is64 ? 54 : 42, size, true);
  view.setUint16(is64 ? 56 : 44, 2, true);
  const start = is64 ? 64 : 52;
  view.setUint32(start, 1, true);
  view.setUint32(start + size, facts.hasLoader === true ? 3 : 2, true);
  return bytes;
}
