import type { SelftestDocument, SelftestStep } from '../api/wire.ts';
import { AgentError, messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { DockerApi } from '../core/docker.ts';
import { within } from '../core/within.ts';
import { type ContainerResult, Engine } from './engine.ts';
import { classifyError } from './faults.ts';
import { makeImage } from './image.ts';
import * as rungs from './rungs.ts';

/** What the self-test is made of. */
export interface SelftestParts {
  readonly docker: DockerApi;
  readonly clock: Clock;
  /** Bytes of the board's own static busybox. */
  readonly readBusybox: () => Promise<Uint8Array>;
  /** Connects to a port of 127.0.0.1 and reads until the other side ends. */
  readonly readTcp: (port: number, signal: AbortSignal) => Promise<string>;
  /** A word that no earlier run used. */
  readonly newToken: () => string;
}

/** Rungs besides the fixed ones. */
export interface SelftestWishes {
  /** Name that a container must resolve. */
  readonly dnsName?: string | undefined;
  /** `HOST:PORT` that a container must reach by TCP. */
  readonly egress?: string | undefined;
  /** Whether a published port of a container must answer. */
  readonly publish?: boolean | undefined;
}

const imageName = 'oh-edge-agent/selftest:1';
/** Milliseconds for the whole ladder, less than agentctl waits; an emulated board on a busy machine needs 80 s. */
const deadlineMs = 280_000;

/** Tries to reach a published port, and milliseconds between two of them. */
const publishTries = 30;
const publishPauseMs = 500;
/** Milliseconds of one try: docker-proxy also takes a connection for a program that never answers. */
const publishTryMs = 5_000;

/**
 * Ladder of containers that tells which class of fault keeps this board from running any: engine, image, a container
 * without network, one on the bridge with a memory limit. It stops where going on tells nothing more, and removes
 * everything it made.
 */
export class Selftest {
  readonly #parts: SelftestParts;
  readonly #engine: Engine;
  #isRunning = false;

  constructor(parts: SelftestParts) {
    this.#parts = parts;
    this.#engine = new Engine(parts.docker);
  }

  /** Runs the ladder; BUSY while another run goes on. A broken board is an answer, not a rejection. */
  async run(wishes: SelftestWishes, signal: AbortSignal): Promise<SelftestDocument> {
    if (this.#isRunning) {
      throw new AgentError('BUSY', 'Cannot start the self-test: one is running already; wait for its end');
    }
    this.#isRunning = true;
    const reason = (): Error =>
      new AgentError('TIMED_OUT', `Cannot finish the self-test: ${deadlineMs} ms are over`);
    const climb = (until: AbortSignal) => this.#climb(wishes, until);
    try {
      const steps = await within(this.#parts.clock, deadlineMs, climb, { signal, reason });
      signal.throwIfAborted();
      return { ok: steps.every(({ ok }) => ok), steps };
    } finally {
      await this.#engine.removeImage(imageName);
      this.#isRunning = false;
    }
  }

  async #climb(wishes: SelftestWishes, signal: AbortSignal): Promise<readonly SelftestStep[]> {
    const steps: SelftestStep[] = [];
    let architecture = '';
    const rung = async (name: string, work: () => Promise<rungs.RungResult>): Promise<boolean> => {
      const step = await this.#step(name, work);
      steps.push(step);
      return step.ok;
    };
    const base =
      (await rung('engine', async () => {
        const engine = await this.#engine.version(signal);
        ({ architecture } = engine);
        await this.#engine.sweep(signal);
        return { output: `dockerd ${engine.version} on ${architecture}` };
      })) &&
      (await rung('image', () => this.#loadImage(architecture, signal))) &&
      (await rung('run', () => this.#judged(rungs.runOrder, rungs.judgeRun, signal)));
    if (!base) return steps;
    if (await this.#climbBridge(rung, signal)) await this.#climbWishes(rung, wishes, signal);
    return steps;
  }

  /** Bridge and limit in one container; where the bridge breaks, the limit is tried without it. */
  async #climbBridge(rung: Rung, signal: AbortSignal): Promise<boolean> {
    const { newToken } = this.#parts;
    let seen: ContainerResult | undefined;
    const isBridged = await rung('bridge', async () => {
      const token = newToken();
      seen = await this.#engine.runContainer(rungs.bridgeOrder(imageName, token), signal);
      return rungs.judgeBridge(seen, token);
    });
    await rung('memory-limit', async () => {
      seen ??= await this.#engine.runContainer(rungs.limitOrder(imageName, newToken()), signal);
      return rungs.judgeLimit(seen);
    });
    return isBridged;
  }

  async #climbWishes(rung: Rung, wishes: SelftestWishes, signal: AbortSignal): Promise<void> {
    const { dnsName, egress, publish } = wishes;
    if (dnsName !== undefined) {
      const order = (image: string, token: string) => rungs.dnsOrder(image, token, dnsName);
      await rung('dns', () => this.#judged(order, (result) => rungs.judgeDns(result, dnsName), signal));
    }
    if (egress !== undefined) {
      const order = (image: string, token: string) => rungs.egressOrder(image, token, egress);
      await rung('egress', () => this.#judged(order, (result) => rungs.judgeEgress(result, egress), signal));
    }
    if (publish === true) await rung('publish', () => this.#tryPublished(signal));
  }

  /** The program in the container needs a moment until it listens, and docker-proxy accepts before it does. */
  async #tryPublished(signal: AbortSignal): Promise<rungs.RungResult> {
    const { clock, newToken, readTcp } = this.#parts;
    const token = newToken();
    return this.#engine.servePort(rungs.publishOrder(imageName, token), signal, async (port) => {
      for (let tries = 1; ; tries += 1) {
        const read = (until: AbortSignal) => readTcp(port, until);
        const text = await within(clock, publishTryMs, read, { signal }).catch(messageOf);
        const result = rungs.judgePublish(text, token, port);
        if (result.fault === undefined || tries === publishTries) return result;
        await clock.sleep(publishPauseMs, signal);
      }
    });
  }

  async #loadImage(architecture: string, signal: AbortSignal): Promise<rungs.RungResult> {
    const busybox = await this.#parts.readBusybox().catch((error: unknown) => {
      throw new AgentError('SELFTEST_FAILED', `Cannot read busybox: ${messageOf(error)}`, { cause: error });
    });
    rungs.refuseBusybox(busybox, architecture);
    const archive = await makeImage({ busybox, architecture, name: imageName });
    await this.#engine.loadImage(archive, signal);
    return { output: `${imageName} for ${architecture}, ${archive.length} bytes` };
  }

  async #judged(
    order: (image: string, token: string) => Parameters<Engine['runContainer']>[0],
    judge: (result: ContainerResult, token: string) => rungs.RungResult,
    signal: AbortSignal,
  ): Promise<rungs.RungResult> {
    const token = this.#parts.newToken();
    return judge(await this.#engine.runContainer(order(imageName, token), signal), token);
  }

  async #step(name: string, work: () => Promise<rungs.RungResult>): Promise<SelftestStep> {
    const { clock } = this.#parts;
    const startMs = clock.nowMs();
    const outcome = await work().catch(
      (error: unknown): rungs.RungResult => ({ output: '', fault: classifyError(error, fallbackOf(name)) }),
    );
    const durationMs = Math.round(clock.nowMs() - startMs);
    return { name, ok: outcome.fault === undefined, durationMs, ...outcome };
  }
}

type Rung = (name: string, work: () => Promise<rungs.RungResult>) => Promise<boolean>;

/** Reason word where no known text tells more, e.g. `BridgeFailed`. */
function fallbackOf(name: string): string {
  const word = name.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return `${word}Failed`;
}
