import { createHmac, timingSafeEqual } from 'node:crypto';
import { aborted } from '../core/aborted.ts';
import { messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { EdgeNode } from '../core/edge-node.ts';
import type { BrokerMessage, BrokerSession } from '../core/link.ts';
import type { Log } from '../core/log.ts';
import { within } from '../core/within.ts';
import { type CommandMemory, commandWindowMs } from './command-memory.ts';

/** Does one verb. The argument is a JSON value as the asker sent it; every refusal is an AgentError. */
export type CommandVerb = (argument: unknown, signal: AbortSignal) => Promise<unknown>;

/** What the desk works with. */
export interface CommandDeskOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Verbs that this board's own configuration allows, by name. */
  readonly verbs: Readonly<Record<string, CommandVerb>>;
  /** Which commands were taken before. */
  readonly memory: CommandMemory;
  /** Shared key, at least 32 characters; undefined refuses everything. */
  readonly key: () => Promise<string | undefined>;
  /** Whether the clock can be trusted to tell old from new. */
  readonly isClockGood: () => boolean;
  /** Topic of the commands, as the router's rule names it. */
  readonly topic: string;
  /** Topic of the answers; empty sends none. */
  readonly replyTopic: string;
}

/** A command as it travels. `mac` is the HMAC-SHA256 of all the rest under the shared key, in hex. */
interface Command {
  readonly id: string;
  readonly verb: string;
  /** JSON text of the argument: as text, because two programs never write the same JSON twice. */
  readonly argument: string;
  /** Wall-clock milliseconds at the asker. */
  readonly time: number;
  readonly nonce: string;
  readonly mac: string;
}

const maxLength = 8_192;
const rememberedAnswers = 256;
const minKeyLength = 32;
const verbMs = 60_000;

/** Text that a mac covers: one field a line, none of which can hold a line feed but the last. */
export function signedText(node: string, command: Omit<Command, 'mac'>): string {
  const { id, verb, time, nonce, argument } = command;
  return ['oh-edge-agent command 1', node, id, verb, String(time), nonce, argument].join('\n');
}

/** HMAC-SHA256 in hex. */
export function macOf(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

/**
 * Takes commands from the event bus. Neither the cloud's router nor the internal broker asks anybody who he is, so each
 * command proves it itself: with a mac, a time and a nonce. The same command again gets the same answer and has no
 * second effect.
 */
export class CommandDesk {
  readonly #options: CommandDeskOptions;
  /** Macs of the commands seen, with their answers; the oldest go first. */
  readonly #seen = new Map<string, Promise<object>>();
  #refusals = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(options: CommandDeskOptions) {
    this.#options = options;
  }

  /** Listens on this session until it ends or the signal aborts. */
  async run(session: BrokerSession, { node }: EdgeNode, signal: AbortSignal): Promise<void> {
    const { topic, log, memory } = this.#options;
    await memory.load();
    session.onMessage((message) => {
      if (message.topic !== topic) return;
      this.#take(message, node, session, signal).catch((error: unknown) => {
        if (!signal.aborted) log.warn('command.unanswered', { error: messageOf(error) });
      });
    });
    await session.subscribe([topic], signal);
    await aborted(signal);
  }

  async #take(
    { payload }: BrokerMessage,
    node: string,
    session: BrokerSession,
    signal: AbortSignal,
  ): Promise<void> {
    const { replyTopic } = this.#options;
    const key = await this.#options.key();
    const command = parseCommand(payload);
    const fault = this.#faultOf(command, node, key);
    if (command === undefined || key === undefined || fault !== undefined) {
      this.#countRefusal(fault ?? 'NoKey');
      return;
    }
    const answer = await this.#answerOnce(command, signal);
    if (replyTopic === '') return;
    const text = JSON.stringify({ id: command.id, node, ...answer });
    await session.publish(
      { topic: replyTopic, payload: JSON.stringify({ reply: text, mac: macOf(key, text) }) },
      signal,
    );
  }

  /** Why a command is not even looked at; whoever sent it learns nothing. */
  #faultOf(command: Command | undefined, node: string, key: string | undefined): string | undefined {
    if (key === undefined || key.length < minKeyLength) return 'NoKey';
    if (command === undefined) return 'NotACommand';
    const wanted = Buffer.from(macOf(key, signedText(node, command)));
    const given = Buffer.from(command.mac);
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) return 'WrongMac';
    if (this.#seen.has(command.mac)) return undefined;
    if (!this.#options.isClockGood()) return 'ClockUnknown';
    const now = this.#options.clock.wallMs();
    if (Math.abs(now - command.time) > commandWindowMs) return 'NotNow';
    return this.#options.memory.knows(command.nonce, command.time) ? 'Replayed' : undefined;
  }

  #answerOnce(command: Command, signal: AbortSignal): Promise<object> {
    const known = this.#seen.get(command.mac);
    if (known !== undefined) return known;
    const answer = this.#perform(command, signal);
    this.#seen.set(command.mac, answer);
    for (const mac of this.#seen.keys()) if (this.#seen.size > rememberedAnswers) this.#seen.delete(mac);
    return answer;
  }

  async #perform({ id, verb, argument, nonce, time }: Command, signal: AbortSignal): Promise<object> {
    const { verbs, log, clock, memory } = this.#options;
    const act = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
    if (act === undefined) {
      log.warn('command.refused', { id, verb, reason: 'NotAllowed' });
      return { ok: false, error: `this board does not allow "${verb}"` };
    }
    const perform = async (until: AbortSignal): Promise<unknown> => {
      // Before it is done: a command that nobody remembers could be done again after a restart.
      await memory.take(nonce, time);
      return act(JSON.parse(argument), until);
    };
    try {
      const result = await within(clock, verbMs, perform, { signal });
      log.info('command.done', { id, verb });
      return { ok: true, result };
    } catch (error) {
      log.warn('command.failed', { id, verb, error: messageOf(error) });
      return { ok: false, error: messageOf(error) };
    }
  }

  /** A flood of forged commands must not become a flood of the log. */
  #countRefusal(reason: string): void {
    this.#refusals += 1;
    const now = this.#options.clock.nowMs();
    if (now - this.#toldMs < 60_000) return;
    this.#toldMs = now;
    this.#options.log.warn('command.refused', { reason, refusals: this.#refusals });
  }
}

function parseCommand(payload: string): Command | undefined {
  if (payload.length > maxLength) return undefined;
  try {
    const value = JSON.parse(payload) as Partial<Record<keyof Command, unknown>> | null;
    const { id, verb, argument, time, nonce, mac } = value ?? {};
    const isName = (text: unknown): text is string =>
      typeof text === 'string' && /^[\w.:-]{1,64}$/.test(text);
    if (!isName(id) || !isName(verb) || !isName(nonce) || !isName(mac)) return undefined;
    if (typeof argument !== 'string' || typeof time !== 'number' || !Number.isFinite(time)) return undefined;
    return { id, verb, argument, time, nonce, mac };
  } catch {
    return undefined;
  }
}
