/** Length of the head of one frame: stream, three zeroes, size as a big-endian number (Docker Engine API, attach). */
const headLength = 8;

/** Text of both streams of a container's log, in the order it was written; a cut last frame is kept as far as it goes. */
export function decodeLogFrames(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let at = 0;
  while (at + headLength <= bytes.length) {
    const end = at + headLength + view.getUint32(at + 4, false);
    parts.push(decoder.decode(bytes.subarray(at + headLength, end), { stream: true }));
    at = end;
  }
  return parts.join('') + decoder.decode();
}
