import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { AgentError } from '../../agent/core/agent-error.ts';

interface QmpAnswer {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly id?: number;
}

/** QEMU's monitor: pulls network cables and forwards ports while the board runs. */
export class Qmp {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (answer: QmpAnswer) => void>();
  #nextId = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
    createInterface({ input: socket }).on('line', (line) => {
      const answer = JSON.parse(line) as QmpAnswer;
      if (answer.id === undefined) return;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    socket.on('error', () => undefined);
  }

  static async connect(path: string): Promise<Qmp> {
    const socket = createConnection(path);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    socket.unref();
    const qmp = new Qmp(socket);
    await qmp.execute('qmp_capabilities');
    return qmp;
  }

  /** Runs one monitor command; throws TOOL_FAILED with QEMU's words when it refuses. */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = this.#nextId;
    this.#nextId += 1;
    const answered = new Promise<QmpAnswer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    const answer = await answered;
    if (answer.error === undefined) return answer.return;
    throw new AgentError('TOOL_FAILED', `Cannot run "${command}" in QEMU's monitor: ${answer.error.desc}`);
  }

  close(): void {
    this.#socket.destroy();
  }
}
