import { isAbort, messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { DockerApi } from '../core/docker.ts';
import type { Log } from '../core/log.ts';
import type { ContainerCounts, Inventory, Sample, Samples } from '../core/samples.ts';
import type { HealthBoard } from './board.ts';
import { OwnMemory } from './own-memory.ts';
import { diskPressure, flashHealth, memoryPressure, type Pressure, type PressureLimits } from './pressure.ts';

/** What the sampler works with. */
export interface SamplerOptions {
  readonly samples: Samples;
  readonly board: HealthBoard;
  readonly clock: Clock;
  readonly log: Log;
  /** Asked for its number of containers while the board says that it is ready. */
  readonly docker?: DockerApi;
  readonly intervalMs: number;
  readonly memory: PressureLimits;
  readonly disk: PressureLimits;
  /** Bound of the agent's own memory, and what is called once when it stays above it. */
  readonly own?: { readonly maxBytes: number; readonly exceeded: () => void };
}

/** Milliseconds by which the wall clock must have left the monotonic one between two looks; less is adjusted all the time. */
const jumpMs = 2_000;
/** Samples kept for a small curve: two hours at one a minute. */
const keptSamples = 120;

/** Looks at the load of the board now and then, keeps a short past, and says when memory or disk run out. */
export class Sampler {
  readonly #options: SamplerOptions;
  #past: Sample[] = [];
  #inventory: Inventory | undefined;
  #running: Promise<void> | undefined;
  #offsetMs: number | undefined;
  readonly #own: OwnMemory | undefined;
  readonly #stop = new AbortController();

  constructor(options: SamplerOptions) {
    this.#options = options;
    if (options.own !== undefined) this.#own = new OwnMemory({ ...options, ...options.own });
  }

  /** Takes the first sample and goes on in the background until `stop` or the signal. */
  async start(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#stop.signal]);
    await this.#look(either);
    this.#running = this.#loop(either);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** The newest sample; undefined before the first. */
  latest(): Sample | undefined {
    return this.#past.at(-1);
  }

  /** Samples of the last two hours or so, oldest first. */
  past(): readonly Sample[] {
    return this.#past;
  }

  /** What the board is made of; undefined before the first look. */
  inventory(): Inventory | undefined {
    return this.#inventory;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, log } = this.#options;
    let dueMs = clock.nowMs() + intervalMs;
    for (;;) {
      try {
        await clock.sleep(Math.max(0, dueMs - clock.nowMs()), signal);
        dueMs = clock.nowMs() + intervalMs;
        await this.#look(signal);
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        log.warn('sample.failed', { error: messageOf(error) });
      }
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { samples, memory, disk } = this.#options;
    this.#lookForJump();
    this.#inventory ??= await samples.inventory();
    const sample = await samples.sample();
    this.#tell('MemoryPressure', memoryPressure(sample.memory, this.#was('MemoryPressure'), memory));
    this.#tell('DiskPressure', diskPressure(sample.disks, this.#was('DiskPressure'), disk));
    const flash = flashHealth(sample.wear);
    if (flash !== undefined) this.#options.board.set('FlashHealthy', flash.isWorn ? 'false' : 'true', flash);
    this.#own?.look(sample.self.memoryBytes);
    // Last, because a dockerd that hangs is waited for.
    const containers = await this.#containers(signal);
    const whole = { ...sample, ...(containers === undefined ? {} : { containers }) };
    this.#past = [...this.#past.slice(-(keptSamples - 1)), whole];
  }

  /** Times in logs, leases and certificates mean little across a jump, so it is told. */
  #lookForJump(): void {
    const { clock, board } = this.#options;
    const offsetMs = clock.wallMs() - clock.nowMs();
    const byMs = Math.round(offsetMs - (this.#offsetMs ?? offsetMs));
    this.#offsetMs = offsetMs;
    if (Math.abs(byMs) >= jumpMs) board.record('clock.jumped', { byMs });
  }

  async #containers(signal: AbortSignal): Promise<ContainerCounts | undefined> {
    const { docker, board } = this.#options;
    if (docker === undefined || board.get('DockerReady')?.status !== 'true') return undefined;
    try {
      // Not /info, which has the numbers: for it dockerd starts runc and docker-init each time.
      const request = { method: 'GET', path: '/containers/json?all=1', timeoutMs: 5_000 } as const;
      const answer = await docker.request(request, signal);
      return countsOf(JSON.parse(new TextDecoder().decode(answer.body)));
    } catch {
      // Whether dockerd answers is judged by its own probe; here it only means that nobody counts.
      return undefined;
    }
  }

  #was(type: string): boolean {
    return this.#options.board.get(type)?.status === 'true';
  }

  #tell(type: string, pressure: Pressure): void {
    const { isPressed, reason, message } = pressure;
    this.#options.board.set(type, isPressed ? 'true' : 'false', { reason, message });
  }
}

/** As dockerd itself counts: what neither runs nor is paused is stopped. */
function countsOf(list: unknown): ContainerCounts | undefined {
  if (!Array.isArray(list)) return undefined;
  const count = (state: string): number =>
    list.filter((item: Readonly<Record<string, unknown>> | null) => item?.['State'] === state).length;
  const [running, paused] = [count('running'), count('paused')];
  return { running, paused, stopped: list.length - running - paused };
}
