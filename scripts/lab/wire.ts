import { AgentError } from '../../agent/core/agent-error.ts';

/**
 * The wire between the host and the board's hdcd stand-in (test/lab/hdcd). A frame is: length of what follows, channel
 * (both 32 bits, little-endian), type (one byte), payload. Each life of the board starts with a hello, which the host
 * answers; bytes before it belong to an earlier life.
 */
export const hello: Uint8Array = Uint8Array.from('\0OEA-LAB-HELLO\x01\n', (char) => char.charCodeAt(0));

/** Largest payload of one frame, in bytes. */
export const maxPayload = 65_536;

const headerBytes = 9;

export interface Frame {
  readonly channel: number;
  readonly type: string;
  readonly payload: Uint8Array;
}

/** Encodes one frame. */
export function encodeFrame({ channel, type, payload }: Frame): Uint8Array {
  const bytes = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length + 5, true);
  view.setUint32(4, channel, true);
  bytes[8] = type.charCodeAt(0);
  bytes.set(payload, headerBytes);
  return bytes;
}

/** What the decoder found: the board said hello (all channels of before are gone), or a frame. */
export type WireNews = { readonly kind: 'hello' } | { readonly kind: 'frame'; readonly frame: Frame };

/** Cuts the byte stream of the board into frames; notices when the board starts anew, even in the middle of a frame. */
export class FrameDecoder {
  #buffer: Buffer = Buffer.alloc(0);
  #isGreeted = false;

  /** Takes the next bytes and returns what became whole. */
  push(bytes: Uint8Array): WireNews[] {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    const news: WireNews[] = [];
    const at = this.#buffer.lastIndexOf(hello);
    if (at !== -1) {
      this.#buffer = this.#buffer.subarray(at + hello.length);
      this.#isGreeted = true;
      news.push({ kind: 'hello' });
    }
    if (!this.#isGreeted) {
      this.#buffer = this.#buffer.subarray(Math.max(0, this.#buffer.length - hello.length));
      return news;
    }
    for (let frame = this.#take(); frame !== undefined; frame = this.#take())
      news.push({ kind: 'frame', frame });
    return news;
  }

  #take(): Frame | undefined {
    const buffer = this.#buffer;
    if (buffer.length < headerBytes) return undefined;
    const length = buffer.readUInt32LE(0);
    if (length < 5 || length > maxPayload + 5) {
      throw new AgentError(
        'BUG',
        `Cannot read the board's answers: a frame of ${length} bytes, at most ${maxPayload + 5} fit`,
      );
    }
    if (buffer.length < 4 + length) return undefined;
    this.#buffer = buffer.subarray(4 + length);
    return {
      channel: buffer.readUInt32LE(4),
      type: String.fromCharCode(buffer[8] ?? 0),
      payload: Uint8Array.from(buffer.subarray(headerBytes, 4 + length)),
    };
  }
}
