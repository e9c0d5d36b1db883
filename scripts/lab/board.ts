import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentError, isAgentError } from '../../agent/core/agent-error.ts';
import type { TreeEntry } from '../image/tree.ts';
import { exists } from './cache.ts';
import { addToExt4, copyDisk } from './ext4.ts';
import type { LabImage } from './image.ts';
import { BoardLink } from './link.ts';
import { machineArguments, type PortForward } from './qemu.ts';
import { Qmp } from './qmp.ts';

/** How a board is started. */
export interface BoardOptions {
  readonly image: LabImage;
  /** Folder for the console log; it stays when the board is gone. */
  readonly logs: string;
  /** Disk of /data that is kept between boards; made from the empty one when it is missing. Default: a fresh one each time. */
  readonly dataDisk?: string;
  /** What a fresh /data holds from the beginning, as if it had been flashed with it; ext4 only. */
  readonly dataFiles?: readonly TreeEntry[];
  readonly cgroup?: 'v1' | 'v2';
  readonly withoutControllers?: readonly string[];
  readonly forwards?: readonly PortForward[];
  /** Where the host answers names for the board's networks; see name-server.ts. */
  readonly namePort?: number;
  /** Whether no network is there at boot, as with Wi-Fi that comes late; `netmanager up IF` plugs one in. */
  readonly isUnplugged?: boolean;
  /** For what remounts the root, as on an image for development; its changes do not outlive the machine. */
  readonly isSystemWritable?: boolean;
  /** Time until the board's shell must answer, in milliseconds. */
  readonly bootTimeoutMs?: number;
}

/** How a command on the board ended. */
export interface Executed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** Hears output as it comes. */
  readonly onOutput?: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void;
}

/** A running virtual board. Whoever boots one disposes of it; that kills the machine by its process id. */
export class Board implements AsyncDisposable {
  readonly consoleLog: string;
  readonly #machine: ChildProcess;
  readonly #link: BoardLink;
  readonly #sockets: string;
  readonly #scratchDisk: string | undefined;
  readonly #servers: Server[] = [];

  private constructor(parts: {
    consoleLog: string;
    machine: ChildProcess;
    link: BoardLink;
    sockets: string;
    scratchDisk: string | undefined;
  }) {
    this.consoleLog = parts.consoleLog;
    this.#machine = parts.machine;
    this.#link = parts.link;
    this.#sockets = parts.sockets;
    this.#scratchDisk = parts.scratchDisk;
  }

  /** Starts the machine and waits until commands can be run on the board. */
  static async boot(options: BoardOptions): Promise<Board> {
    await mkdir(options.logs, { recursive: true });
    const sockets = await mkdtemp(path.join(tmpdir(), 'oea-lab-'));
    const consoleLog = path.join(options.logs, 'console.log');
    const dataDisk = options.dataDisk ?? path.join(sockets, 'userdata.img');
    if (!(await exists(dataDisk))) {
      await copyDisk(options.image.emptyData, dataDisk);
      if (options.dataFiles !== undefined) await addToExt4(dataDisk, options.dataFiles);
    }
    const qemuLog = await open(path.join(options.logs, 'qemu.log'), 'w');
    const machine = spawn(
      'qemu-system-aarch64',
      machineArguments({
        image: options.image,
        dataDisk,
        sockets,
        consoleLog,
        cgroup: options.cgroup ?? 'v1',
        withoutControllers: options.withoutControllers ?? [],
        forwards: options.forwards ?? [],
        namePort: options.namePort,
        ...(options.isUnplugged === true ? { isUnplugged: true } : {}),
        ...(options.isSystemWritable === true ? { isSystemWritable: true } : {}),
      }),
      { stdio: ['ignore', qemuLog.fd, qemuLog.fd] },
    );
    machine.on('error', () => undefined);
    await qemuLog.close();
    const kill = (): void => {
      machine.kill('SIGKILL');
      rmSync(sockets, { recursive: true, force: true });
    };
    process.on('exit', kill);
    machine.once('exit', () => process.off('exit', kill));
    try {
      const link = new BoardLink(await connectTo(path.join(sockets, 'hdc'), machine));
      const scratchDisk = options.dataDisk === undefined ? dataDisk : undefined;
      const board = new Board({ consoleLog, machine, link, sockets, scratchDisk });
      await board.#ready(options.bootTimeoutMs ?? 120_000, 0);
      return board;
    } catch (error) {
      kill();
      await rm(sockets, { recursive: true, force: true });
      throw await explain(error, consoleLog, path.join(options.logs, 'qemu.log'));
    }
  }

  /** Waits until the board's shell answers, in a life later than `lives`. */
  async #ready(timeoutMs: number, lives: number): Promise<void> {
    const gone = new AbortController();
    this.#machine.once('exit', () => gone.abort(new AgentError('TOOL_FAILED', 'The virtual machine ended')));
    if (this.#machine.exitCode !== null) throw new AgentError('TOOL_FAILED', 'The virtual machine ended');
    await this.#link
      .ready(lives, AbortSignal.any([gone.signal, AbortSignal.timeout(timeoutMs)]))
      .catch((error: unknown) => {
        if (gone.signal.aborted)
          throw new AgentError('TOOL_FAILED', 'The virtual machine ended', { cause: error });
        throw new AgentError('TIMED_OUT', `The board did not answer within ${timeoutMs / 1000} s`, {
          cause: error,
        });
      });
  }

  /** Runs a line in the board's shell, as `hdc shell` would: root, init's namespace, hdcd's environment. */
  async exec(line: string, options: ExecOptions = {}): Promise<Executed> {
    const out: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
    const code = await new Promise<number>((resolve, reject) => {
      const timer =
        options.timeoutMs === undefined
          ? undefined
          : setTimeout(() => {
              channel.send('k', new Uint8Array([9]));
              reject(
                new AgentError(
                  'TIMED_OUT',
                  `Cannot finish "${line}" on the board within ${options.timeoutMs} ms`,
                ),
              );
            }, options.timeoutMs);
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        act();
      };
      const channel = this.#link.open('x', `-${line}`, {
        frame: (type, payload) => {
          if (type === 'q') settle(() => resolve(Buffer.from(payload).readInt32LE(0)));
          else if (type === 'n') settle(() => reject(refused(line, payload)));
          else {
            const stream = type === 'e' ? 'stderr' : 'stdout';
            out[stream].push(payload);
            options.onOutput?.(payload, stream);
          }
        },
        lost: (reason) =>
          settle(() => reject(new AgentError('AGENT_UNREACHABLE', `Cannot finish "${line}": ${reason}`))),
      });
      if (options.input !== undefined) channel.data(Buffer.from(options.input));
      channel.send('z', '');
    });
    const text = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('utf8');
    return { code, stdout: text(out.stdout), stderr: text(out.stderr) };
  }

  /** Like exec, but a command that fails is an error with what it said. */
  async run(line: string, options: ExecOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.exec(line, options);
    if (code === 0) return stdout;
    throw new AgentError(
      'TOOL_FAILED',
      `"${line}" ended with ${code} on the board: ${(stderr || stdout).trim()}`,
    );
  }

  /** Writes a file on the board, with its mode. */
  async push(content: Uint8Array | string, target: string, mode = 0o644): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const channel = this.#link.open('f', `${mode.toString(8)} ${target}`, {
        frame: (type, payload) => (type === 'q' ? resolve() : reject(refused(`push ${target}`, payload))),
        lost: (reason) => reject(new AgentError('AGENT_UNREACHABLE', `Cannot push ${target}: ${reason}`)),
      });
      channel.data(Buffer.from(content));
      channel.send('z', '');
    });
  }

  /** Runs an interactive shell on the board and joins it with the given streams until it ends. */
  async shell(input: NodeJS.ReadStream, output: NodeJS.WriteStream): Promise<void> {
    const size = (): Uint8Array =>
      new Uint8Array(new Uint16Array([output.rows ?? 24, output.columns ?? 80]).buffer);
    await new Promise<void>((resolve, reject) => {
      const channel = this.#link.open('x', 'p', {
        frame: (type, payload) => {
          if (type === 'q') finish(resolve);
          else if (type === 'n') finish(() => reject(refused('sh', payload)));
          else output.write(payload);
        },
        lost: () => finish(resolve),
      });
      const onData = (bytes: Buffer): void => channel.data(bytes);
      const onResize = (): void => channel.send('w', size());
      const onEnd = (): void => channel.data(new Uint8Array([4]));
      const finish = (act: () => void): void => {
        input.off('data', onData).off('end', onEnd);
        output.off('resize', onResize);
        if (input.isTTY) input.setRawMode(false);
        input.pause();
        act();
      };
      if (input.isTTY) input.setRawMode(true);
      input.on('data', onData).on('end', onEnd);
      output.on('resize', onResize);
      input.resume();
      onResize();
    });
  }

  /** Joins a socket of the host with one of the board (`unix:PATH` or `tcp:ADDRESS:PORT`). */
  tunnel(socket: Socket, where: string): void {
    const channel = this.#link.open('u', where, {
      frame: (type, payload) => {
        if (type === 'd') socket.write(payload);
        else socket.end();
      },
      lost: () => socket.destroy(),
    });
    socket.on('data', (bytes: Buffer) => channel.data(bytes));
    socket.on('end', () => channel.send('z', ''));
    socket.on('close', () => channel.send('k', ''));
    socket.on('error', () => undefined);
  }

  /** Offers a socket of the board as a Unix socket on the host while the board lives. */
  async expose(where: string, hostPath: string): Promise<void> {
    await rm(hostPath, { force: true });
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      if (this.#link.isUp) this.tunnel(socket, where);
      else socket.destroy();
    });
    server.listen(hostPath);
    await once(server, 'listening');
    await chmod(hostPath, 0o600);
    this.#servers.push(server);
  }

  /** Runs commands of QEMU's monitor. */
  async withMonitor<T>(use: (qmp: Qmp) => Promise<T>): Promise<T> {
    const qmp = await Qmp.connect(path.join(this.#sockets, 'qmp'));
    try {
      return await use(qmp);
    } finally {
      qmp.close();
    }
  }

  /** Makes a TCP port of the board reachable on the host's loopback. */
  async forward({ host, board }: PortForward): Promise<void> {
    const line = `hostfwd_add eth0 tcp:127.0.0.1:${host}-:${board}`;
    const said = await this.withMonitor((qmp) =>
      qmp.execute('human-monitor-command', { 'command-line': line }),
    );
    if (said !== '')
      throw new AgentError('TOOL_FAILED', `Cannot forward port ${host}: ${String(said).trim()}`);
  }

  /** False once the machine has ended. */
  get isRunning(): boolean {
    return this.#machine.exitCode === null && this.#machine.signalCode === null;
  }

  /** Power cut: the machine is gone at once, its disk stays as it is. */
  async kill9(): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.#machine, 'exit');
    this.#machine.kill('SIGKILL');
    await ended;
  }

  /** Restarts the board through its init and waits until it answers again. */
  async reboot(timeoutMs = 120_000): Promise<void> {
    const { lives } = this.#link;
    await this.#orderInit('reboot');
    await this.#ready(timeoutMs, lives);
  }

  /** Shuts the board down through its init; throws TIMED_OUT when it does not end by itself. */
  async powerOff(timeoutMs = 60_000): Promise<void> {
    const ended = once(this.#machine, 'exit', { signal: AbortSignal.timeout(timeoutMs) });
    await this.#orderInit('reboot shutdown');
    await ended.catch((error: unknown) => {
      throw new AgentError(
        'TIMED_OUT',
        `The board did not power off within ${timeoutMs / 1000} s; see ${this.consoleLog}`,
        {
          cause: error,
        },
      );
    });
  }

  /** The command's own answer may be lost, because init kills the shell on the way. */
  async #orderInit(line: string): Promise<void> {
    await this.exec(line).catch((error: unknown) => {
      if (!isAgentError(error, 'AGENT_UNREACHABLE')) throw error;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9();
    for (const server of this.#servers) server.close();
    if (this.#scratchDisk !== undefined) await rm(this.#scratchDisk, { force: true });
    await rm(this.#sockets, { recursive: true, force: true });
  }
}

function refused(what: string, payload: Uint8Array): AgentError {
  return new AgentError(
    'TOOL_FAILED',
    `Cannot run "${what}" on the board: ${Buffer.from(payload).toString('utf8')}`,
  );
}

async function connectTo(socketPath: string, machine: ChildProcess): Promise<Socket> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (machine.exitCode !== null || machine.pid === undefined) break;
    const socket = createConnection(socketPath);
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    if (connected) return socket;
    await sleep(50);
  }
  throw new AgentError('TOOL_FAILED', 'Cannot start the virtual machine: QEMU did not come up');
}

/** Adds what a person would look up first. */
async function explain(error: unknown, consoleLog: string, qemuLog: string): Promise<Error> {
  const tail = async (file: string): Promise<string> =>
    (await readFile(file, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-15).join('\n');
  const message = error instanceof Error ? error.message : String(error);
  const text = `${message}\n${await tail(qemuLog)}\n${await tail(consoleLog)}\nThe whole console is in ${consoleLog}`;
  return new AgentError(error instanceof AgentError ? error.code : 'BUG', text, { cause: error });
}
