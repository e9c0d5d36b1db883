import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import type { EventsDocument, LedgerDocument, StatusDocument } from '../../agent/api/wire.ts';
import type { AgentEvent } from '../../agent/health/condition.ts';
import { request } from '../bench/unix-http.ts';
import { processes, send } from './proc.ts';

/** Where everything of one run is; all paths absolute. */
export interface BoardPlaces {
  /** The small disk. */
  readonly home: string;
  /** Directory of dockerd, docker and the others. */
  readonly binDir: string;
  /** Bundle of the agent. */
  readonly agent: string;
  /** Directory with `edgecore` and `cloudhub.js`. */
  readonly standins: string;
  /** Whether containerd is a unit of its own. */
  readonly hasOwnContainerd: boolean;
  /** libfaketime, or empty. */
  readonly faketime: string;
  /** Output of the programs, for whoever wants to know more. */
  readonly log: string;
}

const pollMs = 200;
/** File that libfaketime reads the offset of the agent's clock from. */
export const clockFile = '/run/chaos-clock';

/** An event and which life of the agent told it. */
export interface Seen extends AgentEvent {
  readonly life: number;
}

/** The machine under test: starts the agent again whenever it ends, as an init does, and listens to what it says. */
export class Board {
  readonly places: BoardPlaces;
  /** Everything the agents have told, in order. */
  readonly seen: Seen[] = [];
  /** Lives of the agent so far. */
  lives = 0;
  #agent: ChildProcess | undefined;
  #isOver = false;
  #last = { life: 0, sequence: 0 };
  #polling: Promise<void> | undefined;

  constructor(places: BoardPlaces) {
    this.places = places;
  }

  get agentPid(): number {
    return this.#agent?.pid ?? 0;
  }

  start(): void {
    this.#launch();
    this.#polling = this.#poll();
  }

  /** Ends the agent in order, units included, and returns what is still there afterwards. */
  async stop(): Promise<readonly string[]> {
    await this.ask('/v1/shutdown', 'POST').catch(() => undefined);
    this.#isOver = true;
    await this.#polling;
    send(this.agentPid, 'SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    send(this.agentPid, 'SIGKILL');
    const names = ['dockerd', 'containerd', 'containerd-shim', 'sleep'];
    return processes()
      .filter(({ name, argv }) => names.includes(name) || isEdgecore(argv))
      .map(({ name, pid }) => `${name} ${pid}`);
  }

  async status(): Promise<StatusDocument> {
    return (await this.ask('/v1/status')) as StatusDocument;
  }

  async ledger(): Promise<LedgerDocument> {
    return (await this.ask('/v1/ledger')) as LedgerDocument;
  }

  async ask(path: string, method = 'GET'): Promise<unknown> {
    const answer = request(`${this.places.home}/run/agent.sock`, path, { method });
    const tooLate = new Promise<never>((_resolve, reject) =>
      setTimeout(() => reject(new Error(`no answer to ${path}`)), method === 'GET' ? 5_000 : 60_000).unref(),
    );
    const { body } = await Promise.race([answer, tooLate]);
    return JSON.parse(body) as unknown;
  }

  /** Runs docker and returns what it prints. */
  docker(...args: readonly string[]): Promise<string> {
    const argv = ['-H', 'unix:///run/docker.sock', ...args];
    const child = spawn(`${this.places.binDir}/docker`, argv, {
      timeout: 20_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    let complaint = '';
    child.stdout.on('data', (chunk) => {
      text += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      complaint += String(chunk);
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 0) resolve(text.trim());
        else reject(new Error(`docker ${args[0]}: ${complaint.trim()}`));
      });
    });
  }

  #launch(): void {
    const { agent, home, faketime } = this.places;
    const argv = [agent, '--home', home, '--product', home, '--busybox', '/bin/busybox'];
    const clock = {
      LD_PRELOAD: faketime,
      FAKETIME_TIMESTAMP_FILE: clockFile,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_RESET: '1',
    };
    const env = { PATH: process.env['PATH'] ?? '', ...(faketime === '' ? {} : clock) };
    const child = spawn(process.execPath, argv, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (chunk) => appendFileSync(this.places.log, String(chunk)));
    this.#agent = child;
    this.lives += 1;
    child.once('exit', (code, signal) => {
      appendFileSync(this.places.log, `agent ended: ${code ?? signal}\n`);
      // init of OpenHarmony starts a service again at once; a short pause keeps a broken bundle from spinning.
      if (!this.#isOver) setTimeout(() => this.#launch(), 300);
    });
  }

  async #poll(): Promise<void> {
    while (!this.#isOver) {
      await this.#listen().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  async #listen(): Promise<void> {
    const life = this.lives;
    const after = this.#last.life === life ? this.#last.sequence : 0;
    const { events } = (await this.ask(`/v1/events?after=${after}`)) as EventsDocument;
    if (life !== this.lives) return;
    this.seen.push(...events.map((event) => ({ ...event, life })));
    this.#last = { life, sequence: events.at(-1)?.sequence ?? after };
  }
}

/** Whether this is the stand-in for edgecore. */
export function isEdgecore(argv: readonly string[]): boolean {
  return argv.some((argument) => argument.endsWith('/edgecore')) && argv.includes('--config');
}
