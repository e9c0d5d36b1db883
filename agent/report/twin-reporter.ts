import type { Clock, Random } from '../core/clock.ts';
import type { EdgeNode } from '../core/edge-node.ts';
import type { BrokerMessage, BrokerSession } from '../core/link.ts';
import type { Log } from '../core/log.ts';
import type { Bell } from './bell.ts';
import { Replies } from './replies.ts';
import { planTwin, type TwinMemory, type TwinPace } from './twin-plan.ts';
import {
  decodeMembership,
  decodeResult,
  encodeUpdate,
  findDevice,
  isUsableId,
  membershipQuestion,
  membershipTopics,
  nobodyTopic,
  twinTopics,
  type UpdateResult,
} from './twin-wire.ts';

/** How the twin fares, for status and for people. */
export interface TwinState {
  readonly phase: 'down' | 'asking' | 'telling' | 'stuck';
  /** PascalCase word. */
  readonly reason: string;
  readonly message: string;
}

/** What the reporter works with. */
export interface TwinReporterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly pace: TwinPace;
  /** Namespace in which the Device is looked for first. */
  readonly namespace: string;
  /** Window in milliseconds over which a fleet spreads after the cloud was away. */
  readonly spreadMs: number;
  /** Makes every event id unlike those of an earlier agent. */
  readonly epoch: string;
  /** Values of now and milliseconds until they may change by themselves. */
  readonly read: () => { readonly values: ReadonlyMap<string, string>; readonly nextMs: number | undefined };
  /** Rings when anything may have changed. */
  readonly bell: Bell;
}

/** edgecore answers within milliseconds; after this it is taken for dead. */
const answerMs = 5_000;
/** How long a missing device or a silent edgecore is left alone. */
const patienceMs = 60_000;
/** Changes come in flocks; so long the first one waits for the others. */
const settleMs = 1_000;
/** Values are read at least this often, for the measurements. */
const lookMs = 60_000;

/**
 * Keeps the twin of the agent's Device like the board: over a session with edgecore's event bus, never more often than
 * the pace allows, one message at a time, each one answered before the next.
 */
export class TwinReporter {
  readonly #options: TwinReporterOptions;
  readonly #memberships: Replies<readonly string[]>;
  readonly #updates: Replies<UpdateResult>;
  #state: TwinState = {
    phase: 'down',
    reason: 'NoSession',
    message: 'There is no session with the event bus',
  };
  #memory: TwinMemory = fresh(0);
  #count = 0;
  /** The devices of the node may have changed. */
  #mustAsk = false;

  constructor(options: TwinReporterOptions) {
    this.#options = options;
    this.#memberships = new Replies(options.clock);
    this.#updates = new Replies(options.clock);
  }

  state(): TwinState {
    return this.#state;
  }

  /** The cloud may have missed what was told meanwhile: everything is told again, at a time of chance. */
  cloudReturned(): void {
    const { clock, random, spreadMs, bell } = this.#options;
    // Where the first one is still owed twice it stays so: what was told of it so far may not have left the board.
    const owed = Math.max(1, this.#memory.owed);
    this.#memory = { ...this.#memory, owed, notBeforeMs: clock.nowMs() + random() * spreadMs };
    if (this.#state.phase === 'stuck') this.#mustAsk = true;
    bell.ring();
  }

  /** Tells over this session until it ends or the signal aborts. */
  async run(session: BrokerSession, { node }: EdgeNode, signal: AbortSignal): Promise<void> {
    const { result, updated } = membershipTopics(node);
    session.onMessage((message) => this.#take(message, node));
    await session.subscribe([result, updated, nobodyTopic], signal);
    while (!signal.aborted) {
      const deviceId = await this.#find(session, node, signal);
      if (deviceId !== undefined) await this.#tell(session, deviceId, signal);
      if (signal.aborted) break;
      if (!this.#mustAsk) await this.#rest(signal);
      // Anybody on the bus can say that the devices have changed, as often as he likes.
      if (this.#mustAsk) await this.#options.clock.sleep(settleMs, signal).catch(() => undefined);
    }
    this.#become('down', 'NoSession', 'There is no session with the event bus');
  }

  #take({ topic, payload }: BrokerMessage, node: string): void {
    const { result, updated } = membershipTopics(node);
    if (topic === updated) {
      this.#mustAsk = true;
      this.#options.bell.ring();
    } else if (topic === result) {
      for (const key of this.#memberships.keys()) {
        const ids = decodeMembership(payload, key);
        if (ids !== undefined) this.#memberships.give(key, ids);
      }
    } else if (topic.endsWith('/twin/update/result')) {
      const answer = decodeResult(payload);
      // Only one update is ever under way, so an answer without an id can only mean that one.
      const key = answer?.eventId === '' ? this.#updates.keys()[0] : answer?.eventId;
      if (answer !== undefined && key !== undefined) this.#updates.give(key, answer);
    }
  }

  /** Asks edgecore which devices it knows; undefined where ours is not among them or nobody answers. */
  async #find(session: BrokerSession, node: string, signal: AbortSignal): Promise<string | undefined> {
    this.#become('asking', 'Asking', 'Asking edgecore for the devices of this node');
    this.#mustAsk = false;
    const eventId = this.#nextId();
    const reply = this.#memberships.wait(eventId, answerMs, signal);
    await session.publish(membershipQuestion(node, eventId), signal);
    const ids = await reply;
    if (signal.aborted) return undefined;
    if (ids === undefined) {
      const text = `edgecore did not answer on the event bus within ${answerMs} ms; see \`agentctl logs edgecore\``;
      this.#become('stuck', 'EdgecoreSilent', text);
      return undefined;
    }
    const name = `${node}-agent`;
    const found = findDevice(ids, name, this.#options.namespace);
    if (found === undefined) {
      const text = `edgecore knows no device "${name}"; create it, or delete and create it again, now that the node is connected: \`npm run cloud -- install\``;
      this.#become('stuck', 'DeviceMissing', text);
    } else if (!isUsableId(found)) {
      const text = `edgecore cannot cut the id "${found}" out of a topic; choose another namespace or node name`;
      this.#become('stuck', 'NameUnusable', text);
      return undefined;
    }
    return found;
  }

  /** Tells this device's twin until edgecore no longer knows it or no longer answers. */
  async #tell(session: BrokerSession, deviceId: string, signal: AbortSignal): Promise<void> {
    const { bell, clock, pace, read } = this.#options;
    await session.subscribe([twinTopics(deviceId).result], signal);
    this.#memory = fresh(this.#memory.notBeforeMs);
    this.#become('telling', 'Telling', `The twin of "${deviceId}" is kept`);
    while (!signal.aborted && !this.#mustAsk) {
      const { values, nextMs = lookMs } = read();
      const plan = planTwin(values, this.#memory, pace, clock.nowMs());
      if (plan.send === 'nothing') {
        const isRung = await bell.wait(Math.max(1, Math.min(plan.waitMs, nextMs, lookMs)), signal);
        if (isRung && !signal.aborted) await clock.sleep(settleMs, signal);
        continue;
      }
      const answer = await this.#update(session, deviceId, plan.values, signal);
      if (signal.aborted || !this.#judge(answer, deviceId)) return;
      this.#remember(plan);
    }
  }

  async #update(
    session: BrokerSession,
    deviceId: string,
    values: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<UpdateResult | undefined> {
    const eventId = this.#nextId();
    const payload = encodeUpdate(eventId, this.#options.clock.wallMs(), values);
    const reply = this.#updates.wait(eventId, answerMs, signal);
    await session.publish({ topic: twinTopics(deviceId).update, payload }, signal);
    return reply;
  }

  /** Reports whether telling may go on. */
  #judge(answer: UpdateResult | undefined, deviceId: string): boolean {
    if (answer === undefined) {
      const text = `edgecore did not answer an update of "${deviceId}" within ${answerMs} ms`;
      this.#become('stuck', 'EdgecoreSilent', text);
      return false;
    }
    if (answer.code === 404) {
      const text = `edgecore has forgotten the device "${deviceId}" (its database was cleared?); delete it and create it again while the node is connected`;
      this.#become('stuck', 'DeviceMissing', text);
      return false;
    }
    if (answer.code === 200) this.#become('telling', 'Telling', `The twin of "${deviceId}" is kept`);
    else
      this.#become('telling', 'Rejected', `edgecore refused an update with ${answer.code}: ${answer.reason}`);
    return true;
  }

  #remember(plan: { readonly send: 'full' | 'changes'; readonly values: ReadonlyMap<string, string> }): void {
    const now = this.#options.clock.nowMs();
    const told = new Map([...this.#memory.told, ...plan.values]);
    const isFull = plan.send === 'full';
    const owed = Math.max(0, this.#memory.owed - (isFull ? 1 : 0));
    this.#memory = { ...this.#memory, told, toldMs: now, owed, ...(isFull ? { fullToldMs: now } : {}) };
  }

  /** Waits before the next question, but not when the devices of the node change. */
  async #rest(signal: AbortSignal): Promise<void> {
    const { bell, clock } = this.#options;
    const untilMs = clock.nowMs() + patienceMs;
    while (!signal.aborted && !this.#mustAsk && clock.nowMs() < untilMs) {
      await bell.wait(untilMs - clock.nowMs(), signal);
    }
  }

  #nextId(): string {
    this.#count += 1;
    return `${this.#options.epoch}-${this.#count}`;
  }

  #become(phase: TwinState['phase'], reason: string, message: string): void {
    if (this.#state.reason !== reason) this.#options.log.info('twin.changed', { phase, reason, message });
    this.#state = { phase, reason, message };
  }
}

/** The first report of a property is stored by some releases with an empty value, so the first one is told twice. */
function fresh(notBeforeMs: number): TwinMemory {
  return { told: new Map(), toldMs: undefined, fullToldMs: undefined, owed: 2, notBeforeMs };
}
