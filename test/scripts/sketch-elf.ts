/** What a made-up ELF file claims. */
interface Sketch {
  readonly machine?: number;
  readonly type?: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly textrel?: boolean;
}

/** A minimal 64-bit file: header, three program headers, interpreter, strings, dynamic section; loaded at 0x10000. */
export function sketchElf({
  machine = 183,
  type = 3,
  interpreter,
  needed = [],
  textrel = false,
}: Sketch): Uint8Array {
  const bytes = new Uint8Array(1024);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, type, true);
  view.setUint16(18, machine, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  const strings = `\0${needed.map((name) => `${name}\0`).join('')}`;
  const dynamic: [number, number][] = [
    ...needed.map((name): [number, number] => [1, strings.indexOf(`\0${name}\0`) + 1]),
    [5, 0x10000 + 512],
    [10, strings.length],
    ...(textrel ? [[22, 0] as [number, number]] : []),
    [0, 0],
  ];
  const segments: [number, number, number, number][] = [[1, 0, 0x10000, 1024]];
  if (interpreter !== undefined) segments.push([3, 400, 0x10000 + 400, interpreter.length + 1]);
  if (needed.length > 0 || textrel) segments.push([2, 640, 0x10000 + 640, dynamic.length * 16]);
  view.setUint16(56, segments.length, true);
  segments.forEach(([kind, offset, address, size], index) => {
    const at = 64 + index * 56;
    view.setUint32(at, kind, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 16, BigInt(address), true);
    view.setBigUint64(at + 32, BigInt(size), true);
  });
  bytes.set(new TextEncoder().encode(`${interpreter ?? ''}\0`), 400);
  bytes.set(new TextEncoder().encode(strings), 512);
  dynamic.forEach(([tag, value], index) => {
    view.setBigUint64(640 + index * 16, BigInt(tag), true);
    view.setBigUint64(648 + index * 16, BigInt(value), true);
  });
  return bytes;
}
