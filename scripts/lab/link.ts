import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { AgentError } from '../../agent/core/agent-error.ts';
import { encodeFrame, type Frame, FrameDecoder, hello, maxPayload } from './wire.ts';

/** What a channel's owner hears: data by frame type, and the end. */
interface ChannelOwner {
  frame(type: string, payload: Uint8Array): void;
  lost(reason: string): void;
}

/** One conversation with the board's hdcd stand-in: a command, a tunnel or a file. */
export interface Channel {
  send(type: string, payload: Uint8Array | string): void;
  /** Data in as many frames as it needs. */
  data(bytes: Uint8Array): void;
}

/** The host's end of the wire; many channels at once. Emits `hello` each time the board starts. */
export class BoardLink extends EventEmitter<{ hello: [] }> {
  readonly #socket: Socket;
  readonly #channels = new Map<number, ChannelOwner>();
  #nextId = 1;
  #lives = 0;
  #isUp = false;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    const decoder = new FrameDecoder();
    socket.on('data', (bytes: Buffer) => {
      for (const news of decoder.push(bytes)) {
        if (news.kind === 'hello') this.#greet();
        else this.#deliver(news.frame);
      }
    });
    socket.on('close', () => this.#lose('the virtual machine ended'));
    socket.on('error', () => this.#lose('the virtual machine ended'));
  }

  /** True between the board's hello and its next end. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** How many times the board has started while this link watched. */
  get lives(): number {
    return this.#lives;
  }

  /** Waits until the board has started more than `lives` times and can be talked to. */
  async ready(lives: number, signal: AbortSignal): Promise<void> {
    while (!this.#isUp || this.#lives <= lives) await once(this, 'hello', { signal });
  }

  /** Opens a channel; `type` says what for. */
  open(type: string, payload: string, owner: ChannelOwner): Channel {
    if (!this.#isUp) throw new AgentError('AGENT_UNREACHABLE', 'Cannot reach the board: it is not up');
    const id = this.#nextId;
    this.#nextId += 1;
    this.#channels.set(id, owner);
    const send = (kind: string, bytes: Uint8Array | string): void => {
      const content = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
      if (this.#channels.has(id))
        this.#socket.write(encodeFrame({ channel: id, type: kind, payload: content }));
    };
    send(type, payload);
    return {
      send,
      data: (bytes) => {
        for (let at = 0; at < bytes.length; at += maxPayload) send('d', bytes.subarray(at, at + maxPayload));
      },
    };
  }

  #greet(): void {
    this.#lose('the board restarted');
    this.#socket.write(hello);
    this.#isUp = true;
    this.#lives += 1;
    this.emit('hello');
  }

  #deliver({ channel, type, payload }: Frame): void {
    const owner = this.#channels.get(channel);
    if (type === 'q' || type === 'n') this.#channels.delete(channel);
    owner?.frame(type, payload);
  }

  #lose(reason: string): void {
    const owners = [...this.#channels.values()];
    this.#channels.clear();
    this.#isUp = false;
    for (const owner of owners) owner.lost(reason);
  }
}
