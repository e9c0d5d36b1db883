import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.ts';

const program = '/usr/sbin/mosquitto';

/** Reason to skip where Debian's `mosquitto` is not installed; false where it is. */
export const noMosquitto = existsSync(program) ? false : `${program} is missing: apt-get install mosquitto`;

/** A real MQTT broker on a port of its own, which can be killed and started again. */
export class Mosquitto {
  readonly port: number;
  readonly #directory: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, directory: string) {
    this.port = port;
    this.#directory = directory;
  }

  /** Starts a broker; `lines` go into its configuration. */
  static async start(lines: readonly string[] = ['allow_anonymous true']): Promise<Mosquitto> {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'mosquitto-'));
    const broker = new Mosquitto(await freePort(), directory);
    const config = [
      'user root',
      `listener ${broker.port} 127.0.0.1`,
      'persistence false',
      'set_tcp_nodelay true',
      ...lines,
    ];
    writeFileSync(path.join(directory, 'mosquitto.conf'), `${config.join('\n')}\n`);
    await broker.run();
    return broker;
  }

  get url(): string {
    return `tcp://127.0.0.1:${this.port}`;
  }

  get directory(): string {
    return this.#directory;
  }

  /** Starts it (again) and resolves when it takes connections. */
  async run(): Promise<void> {
    const child = spawn(program, ['-c', path.join(this.#directory, 'mosquitto.conf')], {
      // A pipe that nobody reads would stop it once it is full of log.
      stdio: 'ignore',
    });
    this.#child = child;
    for (let tries = 0; !(await accepts(this.port)); tries += 1) {
      if (child.exitCode !== null || tries > 500)
        throw new Error(`mosquitto did not start: ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Kills it and resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const end = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
