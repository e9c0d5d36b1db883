import { messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { EdgeNode } from '../core/edge-node.ts';
import { underEither } from '../core/either-signal.ts';
import type { HttpCaller } from '../core/http-caller.ts';
import { type FrameLink, type LinkEnd, LinkError } from '../core/link.ts';
import type { Log } from '../core/log.ts';
import type { SpeakerGate } from '../core/speaker-gate.ts';
import type { LedgerRecord } from '../health/ledger.ts';
import type { CloudMemory, CloudMode } from './cloud-memory.ts';
import { CloudSession } from './cloud-session.ts';
import { patchThroughMetaServer } from './meta-server.ts';
import { minorOf, type NodePush, type PushResult, pushConditions, pushEvent } from './node-push.ts';
import type { Spool } from './spool.ts';

/** What became of an attempt to write the Node object over whatever way there is. */
export type Outcome =
  | PushResult
  | { readonly how: 'failed'; readonly end: LinkEnd }
  /** This cloud listens to the node's own session only, and that one is edgecore's now. */
  | { readonly how: 'no-way' };

/** What the channels work with. */
export interface CloudChannelsOptions {
  readonly link: FrameLink;
  readonly http: HttpCaller;
  readonly gate: SpeakerGate;
  readonly memory: CloudMemory;
  /** Entries of the ledger that wait to become events; undefined where events are switched off. */
  readonly events: Spool | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: () => string;
}

/** A session of our own is kept so long for the next news. */
const lingerMs = 20_000;
const closeMs = 300;
const eventsAtOnce = 5;
const eventsEveryMs = 60_000;
/** A cloud that heard only the node itself may have been given another configuration since; so often it is tried again. */
const againMs = 86_400_000;
/** First release that takes events from an edge. */
const eventsMinor = 19;

/**
 * Ways to the Node object. First choice is a session of our own beside edgecore's; where the cloud enforces
 * authorization it is the node's own session, while edgecore is absent, or edgecore's kube-API, while it is there.
 */
export class CloudChannels {
  readonly #options: CloudChannelsOptions;
  #kept: { readonly session: CloudSession; readonly about: string } | undefined;
  #stopLinger: () => void = () => undefined;
  #eventsMs = Number.NEGATIVE_INFINITY;
  /** When a session beside edgecore's was last seen to be unheard, by this agent. */
  #deafMs = Number.NEGATIVE_INFINITY;
  /** An earlier agent may have ended between a write and its answer. */
  #isUnsure = true;

  constructor(options: CloudChannelsOptions) {
    this.#options = options;
  }

  /** Reports whether something was sent whose answer never came: then nobody knows what the Node object says. */
  get isUnsure(): boolean {
    return this.#isUnsure;
  }

  /** Reports whether entries of the ledger wait that this cloud would take as events with the next write. */
  hasEvents(node: EdgeNode): boolean {
    const { events, memory } = this.#options;
    const isTaken = (minorOf(node.edgecoreVersion) ?? 0) >= eventsMinor && memory.facts.mode === 'separate';
    return isTaken && events !== undefined && events.size > 0;
  }

  /** Writes over the best way that works; what is learnt about the cloud is remembered. */
  async push(push: NodePush, signal: AbortSignal): Promise<Outcome> {
    const { memory, gate } = this.#options;
    const { mode } = memory.facts;
    const isOwnFirst = (mode === 'takeover' || mode === 'suspect') && gate.isFree;
    if (isOwnFirst) {
      const outcome = await this.#pushAsNode(push, signal);
      if (outcome.how !== 'silent' || mode === 'takeover') return outcome;
    }
    if (this.#mayBeHeardBeside()) {
      const outcome = await this.#pushBeside(push, signal);
      if (outcome.how !== 'silent') return outcome;
      await this.#suspect();
      if (isOwnFirst) return outcome;
      if (gate.isFree) return this.#pushAsNode(push, signal);
    }
    const outcome = await this.#pushThroughEdgecore(push, signal);
    // A cloud that has heard us beside edgecore before is slow rather than deaf.
    return outcome.how === 'no-way' && mode === 'separate' ? { how: 'silent' } : outcome;
  }

  /**
   * The last word before edgecore comes, over the node's own session; only where the cloud takes no other. Ends with
   * the socket closed, at the latest when the signal aborts.
   */
  async pushBeforeEdgecore(push: NodePush, signal: AbortSignal): Promise<Outcome> {
    return this.#withSession(push.node, push.node.node, signal, (session) =>
      this.#say(session, push, signal),
    );
  }

  /** Closes what is kept open. */
  async close(): Promise<void> {
    this.#stopLinger();
    const kept = this.#kept;
    this.#kept = undefined;
    await kept?.session.close(closeMs);
  }

  async #pushBeside(push: NodePush, signal: AbortSignal): Promise<Outcome> {
    try {
      const session = await this.#besideSession(push.node, signal);
      const sent = this.#sendEvents(session, push.node);
      const outcome = await this.#say(session, push, signal);
      if (outcome.how === 'silent') {
        this.#deafMs = this.#options.clock.nowMs();
        await this.close();
      } else {
        this.#linger();
        await this.#learnMode('separate');
        for (const sequence of sent) await this.#options.events?.done(sequence);
      }
      return outcome;
    } catch (error) {
      return failure(error, signal);
    }
  }

  async #pushAsNode(push: NodePush, signal: AbortSignal): Promise<Outcome> {
    const turn = this.#options.gate.tryTake();
    if (turn === undefined) return { how: 'no-way' };
    try {
      const outcome = await underEither(signal, turn.revoked, (either) =>
        this.#withSession(push.node, push.node.node, either, (session) => this.#say(session, push, either)),
      );
      if (outcome.how !== 'done' && turn.revoked.aborted) return { how: 'no-way' };
      if (outcome.how !== 'done') return outcome;
    } finally {
      turn.release();
    }
    await this.#judgeCloud(push, signal);
    return { how: 'done' };
  }

  /**
   * The cloud has just answered the node itself. Only if it does not answer a session beside at the same moment is it
   * proven that it never will; that it was silent before may have been a slow moment.
   */
  async #judgeCloud(push: NodePush, signal: AbortSignal): Promise<void> {
    if (this.#options.memory.facts.mode === 'takeover') return;
    const outcome = await this.#pushBeside(push, signal);
    if (outcome.how === 'silent' && !signal.aborted) await this.#learnMode('takeover');
  }

  #mayBeHeardBeside(): boolean {
    const { memory, clock } = this.#options;
    return memory.facts.mode !== 'takeover' || clock.nowMs() - this.#deafMs >= againMs;
  }

  async #suspect(): Promise<void> {
    const { memory } = this.#options;
    if (memory.facts.mode !== 'takeover') await memory.learn({ mode: 'suspect' });
  }

  async #say(session: CloudSession, push: NodePush, signal: AbortSignal): Promise<PushResult> {
    this.#isUnsure = true;
    const result = await pushConditions(session, push, signal);
    if (result.how !== 'silent') this.#isUnsure = false;
    // Remembered before the turn is given back: whoever has the next word must know what the last one was.
    if (result.how === 'done') await this.#learnTold(push);
    return result;
  }

  async #pushThroughEdgecore(push: NodePush, signal: AbortSignal): Promise<Outcome> {
    const { memory, gate, http } = this.#options;
    const isThere = gate.isEdgecoreRunning && push.node.metaServer !== undefined;
    if (!isThere || memory.facts.metaServer === 'off') return { how: 'no-way' };
    const result = await patchThroughMetaServer(http, push, signal);
    if (result.how === 'failed') {
      return {
        how: 'failed',
        end: { reason: 'MetaServerFailed', message: result.message, isPermanent: false },
      };
    }
    await memory.learn({ metaServer: result.how === 'done' ? 'works' : 'off' });
    if (result.how === 'done') {
      this.#isUnsure = false;
      await this.#learnTold(push);
    }
    return result.how === 'done' ? { how: 'done' } : { how: 'no-way' };
  }

  /** A write touches the types that it names and no others. */
  async #learnTold({ conditions, removed }: NodePush): Promise<void> {
    const { memory } = this.#options;
    const kept = Object.entries(memory.facts.told).filter(([type]) => !removed.includes(type));
    await memory.learn({ told: { ...Object.fromEntries(kept), ...conditions } });
  }

  async #learnMode(mode: CloudMode): Promise<void> {
    if (this.#options.memory.facts.mode !== mode) this.#options.log.info('cloud.mode-learnt', { mode });
    await this.#options.memory.learn({ mode });
  }

  async #withSession(
    node: EdgeNode,
    id: string,
    signal: AbortSignal,
    act: (session: CloudSession) => Promise<PushResult>,
  ): Promise<Outcome> {
    let session: CloudSession | undefined;
    try {
      session = await this.#open(node, id, signal);
      return await act(session);
    } catch (error) {
      return failure(error, signal);
    } finally {
      await session?.close(closeMs);
    }
  }

  async #besideSession(node: EdgeNode, signal: AbortSignal): Promise<CloudSession> {
    const about = JSON.stringify([node.node, node.hub]);
    if (this.#kept?.about === about && !this.#kept.session.isOver) return this.#kept.session;
    await this.close();
    const session = await this.#open(node, `${node.node}-agent`, signal);
    this.#kept = { session, about };
    return session;
  }

  async #open(node: EdgeNode, id: string, signal: AbortSignal): Promise<CloudSession> {
    const { link, clock, newId } = this.#options;
    const { hub } = node;
    if (hub === undefined) {
      const message = 'This node has no certificate yet';
      throw new LinkError({ reason: 'NotEnrolled', message, isPermanent: true });
    }
    const headers = { node_id: id, project_id: hub.projectId, ConnectionUse: 'msg' };
    const path = `/${hub.projectId}/${id}/events`;
    const frames = await link.open({ host: hub.host, port: hub.port, path, headers, tls: hub.tls }, signal);
    return new CloudSession({ frames, clock, newId });
  }

  #linger(): void {
    this.#stopLinger();
    this.#stopLinger = this.#options.clock.after(lingerMs, () => void this.close());
  }

  /** Sends events ahead of a patch: its answer proves that they were read as well. Returns their numbers. */
  #sendEvents(session: CloudSession, node: EdgeNode): readonly number[] {
    const { events, clock } = this.#options;
    const isTooSoon = clock.nowMs() - this.#eventsMs < eventsEveryMs;
    if (events === undefined || isTooSoon || !this.hasEvents(node)) return [];
    const waiting = events.waiting(eventsAtOnce);
    for (const item of waiting) {
      if (item.kind !== 'event') continue;
      pushEvent(session, node.node, { record: item.body as LedgerRecord, wallMs: clock.wallMs() });
    }
    if (waiting.length > 0) this.#eventsMs = clock.nowMs();
    return waiting.map((item) => item.sequence);
  }
}

function failure(error: unknown, signal: AbortSignal): Outcome {
  if (error instanceof LinkError) return { how: 'failed', end: error.end };
  const reason = signal.aborted ? 'Interrupted' : 'Failed';
  return { how: 'failed', end: { reason, message: messageOf(error), isPermanent: false } };
}
