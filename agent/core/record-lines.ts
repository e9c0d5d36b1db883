/** What a record file holds. */
export interface DecodedRecords {
  /** Values of all whole lines, in file order. */
  readonly values: readonly unknown[];
  /** Lines that do not carry their own checksum: torn by a power cut, or damaged flash. */
  readonly broken: number;
  /** Whether the file ends in the middle of a line; the next append must not follow it. */
  readonly isTorn: boolean;
}

/**
 * One record as a line of ASCII: CRC-32 of the JSON text as eight hex digits, a space, the JSON, a line feed. Everything
 * above ASCII is escaped, so that a length in characters is a length in bytes and no cut can fall inside a character.
 */
export function encodeRecord(value: unknown): string {
  const json = (JSON.stringify(value) ?? 'null').replace(/[\u007f-\uffff]/g, escaped);
  return `${checksum(json)} ${json}\n`;
}

/** Reads a record file back. Never throws: what is not whole is counted and left out. */
export function decodeRecords(text: string): DecodedRecords {
  const isTorn = text !== '' && !text.endsWith('\n');
  const lines = text.split('\n').filter((line) => line !== '');
  const values: unknown[] = [];
  for (const line of lines) {
    const json = line.slice(9);
    if (line[8] !== ' ' || line.slice(0, 8) !== checksum(json)) continue;
    const value = parsed(json);
    if (value !== undefined) values.push(value);
  }
  return { values, broken: lines.length - values.length, isTorn };
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

function checksum(ascii: string): string {
  let crc = 0xffff_ffff;
  for (let index = 0; index < ascii.length; index += 1) crc = step(crc ^ (ascii.charCodeAt(index) & 0xff));
  return ((crc ^ 0xffff_ffff) >>> 0).toString(16).padStart(8, '0');
}

/** CRC-32 of the sixteen values of four bits, with the reversed polynomial of Ethernet and zip. */
// biome-ignore format: four in a row
const fourBits = [
  0x0000_0000, 0x1db7_1064, 0x3b6e_20c8, 0x26d9_30ac,
  0x76dc_4190, 0x6b6b_51f4, 0x4db2_6158, 0x5005_713c,
  0xedb8_8320, 0xf00f_9344, 0xd6d6_a3e8, 0xcb61_b38c,
  0x9b64_c2b0, 0x86d3_d2d4, 0xa00a_e278, 0xbdbd_f21c,
];

/** Eight bits of it, by table: a long ledger is read at the start, when V8 interprets and does not optimize. */
function step(value: number): number {
  const half = (value >>> 4) ^ (fourBits[value & 15] ?? 0);
  return (half >>> 4) ^ (fourBits[half & 15] ?? 0);
}
