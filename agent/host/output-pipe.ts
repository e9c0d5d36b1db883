import fs from 'node:fs';
import net from 'node:net';
import { pipeBytes } from './piperoom-program.ts';

/** More than a pipe holds: a read that does not fill it ends the turn, so a flood lets everybody else in between. */
export const chunkBytes = pipeBytes + 4_096;
/** The same for a pipe as the kernel makes it. */
const leastChunkBytes = 69_632;
/** Most that one drain takes: a living unit could otherwise write for ever while we read. */
const maxDrainBytes = 1_048_576;

/** Where all pipes of the agent are read into, one at a time, with free bytes in front of what comes. */
export class ReadSpace {
  readonly chunk: Buffer;

  /** What is read at once and what is left of a line before it fit into `fileBytes` together, so that no log grows beyond its budget. */
  constructor(headroomBytes: number, fileBytes = Number.POSITIVE_INFINITY) {
    const length = Math.max(leastChunkBytes, Math.min(chunkBytes, fileBytes - 2 * headroomBytes));
    this.chunk = Buffer.allocUnsafeSlow(headroomBytes + length).subarray(headroomBytes);
  }
}

/**
 * One named pipe between a unit and the agent. The unit's end is opened for reading and writing, so the unit itself keeps
 * the pipe alive: when the agent dies nothing breaks (no SIGPIPE, which kills a Go program when it hits its standard
 * error), the kernel keeps what the pipe holds, and the next agent opens the same path and goes on.
 */
export class OutputPipe {
  /** Descriptor for the child. */
  readonly childDescriptor: number;
  readonly #readDescriptor: number;
  readonly #socket: net.Socket;
  readonly #space: Buffer;
  readonly #take: (chunk: Buffer) => boolean;
  #mayHoldMore = false;

  /** `take` gets each chunk, which is only valid during the call, and says whether to go on reading. */
  constructor(path: string, space: ReadSpace, take: (chunk: Buffer) => boolean) {
    this.#space = space.chunk;
    this.#take = take;
    this.childDescriptor = fs.openSync(path, fs.constants.O_RDWR);
    try {
      this.#readDescriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    } catch (error) {
      fs.closeSync(this.childDescriptor);
      throw error;
    }
    const options = { fd: this.#readDescriptor, readable: true, writable: false };
    const onread = {
      buffer: this.#space,
      callback: (length: number): boolean => {
        const mayGoOn = take(this.#space.subarray(0, length));
        this.#mayHoldMore = !mayGoOn;
        return mayGoOn;
      },
    };
    this.#socket = new net.Socket({ ...options, onread } as net.SocketConstructorOpts);
    this.#socket.on('error', () => undefined);
    this.#socket.resume();
  }

  /** Whether it stopped reading because somebody could not take more, and has not read since, even where it may again. */
  get mayHoldMore(): boolean {
    return this.#mayHoldMore;
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Takes at once what the kernel holds, without waiting for the event loop. Nothing once it is closed: the number of its descriptor may be somebody else's. */
  drain(): void {
    let total = 0;
    try {
      while (total < maxDrainBytes && !this.#socket.destroyed) {
        const length = fs.readSync(this.#readDescriptor, this.#space, 0, this.#space.length, null);
        if (length === 0) return;
        total += length;
        this.#take(this.#space.subarray(0, length));
      }
    } catch {
      // EAGAIN: the pipe is empty.
    }
  }

  close(): Promise<void> {
    fs.closeSync(this.childDescriptor);
    return new Promise((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.destroy();
    });
  }
}
