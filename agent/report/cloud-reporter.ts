import { aborted } from '../core/aborted.ts';
import { messageOf } from '../core/agent-error.ts';
import { type BackoffPolicy, backoffDelay } from '../core/backoff.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { EdgeNode, EdgeNodes } from '../core/edge-node.ts';
import type { Log } from '../core/log.ts';
import type { SpeakerGate } from '../core/speaker-gate.ts';
import { within } from '../core/within.ts';
import type { HealthBoard } from '../health/board.ts';
import type { Bell } from './bell.ts';
import type { CloudChannels, Outcome } from './cloud-channels.ts';
import type { CloudMemory } from './cloud-memory.ts';
import { type CloudPace, planCloud } from './cloud-plan.ts';
import { type CloudState, idle, stateOf } from './cloud-state.ts';
import { nodeConditions, nodeConditionType } from './node-conditions.ts';

/** What the reporter works with. */
export interface CloudReporterOptions {
  readonly nodes: EdgeNodes;
  readonly channels: CloudChannels;
  readonly memory: CloudMemory;
  readonly gate: SpeakerGate;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly pace: CloudPace;
  readonly board: Pick<HealthBoard, 'conditions' | 'summary' | 'seenGood'>;
  /** Rings when a condition may have changed. */
  readonly bell: Bell;
}

const backoff: BackoffPolicy = { floorMs: 1_000, ceilingMs: 60_000 };
/** What a person must cure is tried again only now and then. */
const hopelessMs = 300_000;
const settleMs = 1_000;
const lookMs = 60_000;
/** edgecore's start is held up so long at most. */
const farewellMs = 2_000;
const retractMs = 15_000;

/** Keeps the conditions of the Node object like those of the board, above all while edgecore cannot speak. */
export class CloudReporter {
  readonly #options: CloudReporterOptions;
  readonly #stop = new AbortController();
  readonly #undo: (() => void)[] = [];
  #state: CloudState = idle;
  #running: Promise<void> | undefined;
  #beganMs = 0;
  #toldMs: number | undefined;
  #failures = 0;
  #notBeforeMs = 0;
  #isRetracted = false;
  /** The report that is under way, or was last. */
  #telling: Promise<unknown> = Promise.resolve();

  constructor(options: CloudReporterOptions) {
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { memory, gate, nodes, bell, clock } = this.#options;
    await memory.load();
    this.#beganMs = clock.nowMs();
    this.#undo.push(
      gate.beforeEdgecore(() => this.#farewell()),
      gate.watch(() => this.#retryNow()),
      nodes.watch(() => {
        this.#isRetracted = false;
        this.#retryNow();
      }),
    );
    bell.ring();
    this.#running = this.#loop(AbortSignal.any([signal, this.#stop.signal]));
  }

  async stop(): Promise<void> {
    for (const undo of this.#undo) undo();
    this.#stop.abort();
    await this.#running;
    await this.#options.channels.close();
  }

  state(): CloudState {
    return this.#state;
  }

  /** Takes everything of ours off the Node object; for leaving a cluster. Reports whether the cloud confirmed it. */
  async retract(signal: AbortSignal): Promise<boolean> {
    const { nodes, channels, clock } = this.#options;
    const node = await nodes.read();
    this.#isRetracted = true;
    if (node?.hub === undefined) return true;
    const outcome = await within(clock, retractMs, (until) => this.#takeBack(node, until), { signal });
    await channels.close();
    return outcome === undefined || outcome.how === 'done' || outcome.how === 'no-node';
  }

  async #takeBack(node: EdgeNode, signal: AbortSignal): Promise<Outcome | undefined> {
    const { channels, clock } = this.#options;
    // A report that is under way is the last one, and until it has its answer nobody knows what is to be taken back.
    await Promise.race([this.#telling, aborted(signal)]);
    const removed = this.#perhapsTold();
    const push = { node, conditions: {}, removed, wallMs: clock.wallMs() };
    return removed.length === 0 ? undefined : channels.push(push, signal);
  }

  #perhapsTold(): readonly string[] {
    const { memory, channels } = this.#options;
    const unsure = channels.isUnsure ? Object.keys(this.#wanted().conditions) : [];
    return [...new Set([...Object.keys(memory.facts.told), ...unsure])];
  }

  #retryNow(): void {
    this.#notBeforeMs = 0;
    this.#options.bell.ring();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { bell, clock, nodes, log } = this.#options;
    while (!signal.aborted) {
      try {
        const node = await nodes.read();
        const waitMs = await this.#turn(node, signal);
        const isRung = await bell.wait(waitMs, signal);
        if (isRung && Number.isFinite(waitMs)) await clock.sleep(settleMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        log.warn('cloud.failed', { error: messageOf(error) });
        await bell.wait(lookMs, signal);
      }
    }
  }

  /** Does what is due now and returns how long nothing will be. */
  async #turn(node: EdgeNode | undefined, signal: AbortSignal): Promise<number> {
    const { memory, clock, pace } = this.#options;
    if (node?.hub === undefined || this.#isRetracted) {
      this.#state =
        node === undefined ? idle : { ...idle, reason: 'NotEnrolled', message: 'No certificate yet' };
      return Number.POSITIVE_INFINITY;
    }
    await memory.load();
    if (!memory.isAbout(`${node.node} at ${node.hub.host}:${node.hub.port}`)) this.#toldMs = undefined;
    const nowMs = clock.nowMs();
    const { conditions, seenGood, nextMs } = this.#wanted();
    const { channels } = this.#options;
    const known = {
      told: memory.facts.told,
      isUnsure: channels.isUnsure,
      hasEvents: channels.hasEvents(node),
      toldMs: this.#toldMs,
      beganMs: this.#beganMs,
      seenGood,
    };
    const plan = planCloud(conditions, known, pace, nowMs);
    if (!plan.push) return Math.min(plan.waitMs, nextMs);
    if (nowMs < this.#notBeforeMs) return this.#notBeforeMs - nowMs;
    const push = { node, conditions, removed: plan.removed, wallMs: clock.wallMs() };
    const telling = this.#options.channels.push(push, signal);
    this.#telling = telling.catch(() => undefined);
    const outcome = await telling;
    if (signal.aborted) return 0;
    this.#digest(outcome);
    return outcome.how === 'done' ? 1 : Math.max(1, this.#notBeforeMs - clock.nowMs());
  }

  #wanted() {
    const { board, memory } = this.#options;
    const summary = board.summary();
    return {
      conditions: nodeConditions(board.conditions(), summary, memory.facts.told),
      seenGood: new Set([...board.seenGood()].map(nodeConditionType)),
      nextMs: Math.min(summary.nextMs ?? lookMs, lookMs),
    };
  }

  #digest(outcome: Outcome): void {
    const { clock, random } = this.#options;
    this.#become(stateOf(outcome));
    if (outcome.how === 'done') {
      this.#failures = 0;
      this.#toldMs = clock.nowMs();
      return;
    }
    this.#failures += 1;
    this.#notBeforeMs = clock.nowMs() + this.#pauseMs(outcome, random());
  }

  #pauseMs(outcome: Outcome, chance: number): number {
    switch (outcome.how) {
      case 'no-way':
        // The gate rings when that changes.
        return hopelessMs;
      case 'failed':
        // Many boards meet the same thing in the same moment: they must not all come back in one.
        if (outcome.end.isPermanent) return hopelessMs * (0.5 + chance / 2);
        return backoffDelay(this.#failures, backoff, chance);
      case 'done':
      case 'silent':
      case 'no-node':
      case 'refused':
        return backoffDelay(this.#failures, { floorMs: 5_000, ceilingMs: hopelessMs }, chance);
    }
  }

  /**
   * Where only the node's own session is heard, or may be, nobody of ours can be heard once edgecore is there: so everything that
   * could no longer be corrected is taken away before it comes. Ready, edgecore's own word, then stands alone.
   */
  async #farewell(): Promise<void> {
    const { memory, channels, nodes, clock } = this.#options;
    const { mode, metaServer } = memory.facts;
    const isHeardLater = mode === 'separate' || mode === 'unknown' || metaServer === 'works';
    // Also what was on its way when the turn was taken back: it may have arrived.
    const removed = this.#perhapsTold();
    if (isHeardLater || removed.length === 0) return;
    const node = await nodes.read();
    if (node?.hub === undefined) return;
    const push = { node, conditions: {}, removed, wallMs: clock.wallMs() };
    const outcome = await within(clock, farewellMs, (until) => channels.pushBeforeEdgecore(push, until));
    if (outcome.how === 'done') this.#toldMs = clock.nowMs();
  }

  #become(state: CloudState): void {
    if (state.reason !== this.#state.reason) this.#options.log.info('cloud.changed', { ...state });
    this.#state = state;
  }
}
