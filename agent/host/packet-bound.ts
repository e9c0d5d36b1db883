/**
 * Watches the packets of an MQTT connection go by and says when one begins that is too long. The library would hold all of
 * it in memory first: up to 256 MB, and cloudcore's router passes 12 MiB on to whoever asks it to
 * (kubeedge/kubeedge cloud/pkg/router/listener/http.go).
 */
export class PacketBound {
  readonly #maxBytes: number;
  /** Bytes that are left of the packet that goes by. */
  #left = 0;
  /** Bytes of the fixed header so far; the length that they say so far. */
  #headerBytes = 0;
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes what has come; false where a packet above the bound has begun, and from then on for ever. */
  take(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length && this.#left <= this.#maxBytes; ) {
      const passing = Math.min(this.#left, chunk.length - at);
      this.#left -= passing;
      at += passing;
      if (at < chunk.length && this.#left === 0) this.#takeHeader(chunk[at++] ?? 0);
    }
    return this.#left <= this.#maxBytes;
  }

  /** One byte of type, then seven bits of the length in each byte, the lowest first, as long as the eighth is set. */
  #takeHeader(byte: number): void {
    if (this.#headerBytes > 0) this.#length += (byte & 0x7f) * 128 ** (this.#headerBytes - 1);
    this.#headerBytes += 1;
    const isOver = this.#headerBytes > 1 && (byte & 0x80) === 0;
    // No length has five bytes; whoever sends one is cut off as well.
    if (!isOver && this.#headerBytes <= 5) return;
    this.#left = isOver ? this.#length : Number.POSITIVE_INFINITY;
    this.#headerBytes = 0;
    this.#length = 0;
  }
}
