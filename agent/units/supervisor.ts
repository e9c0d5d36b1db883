import type { UnitStatus } from '../api/wire.ts';
import { AfterTurn } from '../core/after-turn.ts';
import { AgentError, isAbort, messageOf } from '../core/agent-error.ts';
import type { UnitSpec } from '../core/unit-spec.ts';
import type { ConditionFacts } from '../health/board.ts';
import { type ShutdownOptions, type StopReport, shutDown } from './shutdown.ts';
import { type Missing, pidOf, type UnitState } from './state.ts';
import { tellForgotten } from './tell-forgotten.ts';
import { startOrder, stopGroups } from './unit-graph.ts';
import type { UnitPorts } from './unit-ports.ts';
import { UnitRunner } from './unit-runner.ts';
import { waitUntil } from './wait-until.ts';

/** Time between two tries to begin with a unit, in milliseconds. */
const openRetryMs = 10_000;

/**
 * All units together. `start` takes over what an earlier agent left and brings the rest up in the order of needs; `stop`
 * leaves every process running for the next agent; `shutdown` stops the processes themselves, dependents first.
 */
export class Supervisor {
  readonly #runners: ReadonlyMap<string, UnitRunner>;
  readonly #order: readonly string[];
  readonly #groups: readonly (readonly string[])[];
  readonly #ports: UnitPorts;
  readonly #afterTurn: AfterTurn;
  readonly #listeners = new Set<() => void>();
  #isShuttingDown = false;
  /** Set until the supervision has begun. */
  #awaited: ConditionFacts | undefined;

  /** Throws CONFIG_INVALID where needs are unknown or go in a circle. */
  constructor(specs: readonly UnitSpec[], ports: UnitPorts) {
    this.#ports = ports;
    this.#order = startOrder(specs);
    this.#groups = stopGroups(specs);
    this.#afterTurn = new AfterTurn(ports.nextTurn);
    const shared = { afterTurn: this.#afterTurn, changed: () => this.#changed() };
    this.#runners = new Map(specs.map((spec) => [spec.name, new UnitRunner(spec, ports, shared)]));
  }

  /** Puts every unit on the board before anything is started, so that nobody takes an empty board for a ready one. */
  announce(): void {
    const message = 'It is started as soon as the ground work is done';
    this.#announce('unknown', { reason: 'NotStarted', message, causedBy: 'Prepared' });
  }

  /**
   * Resolves when every unit was taken over or asked to start; readiness comes later, see `waitReady`. Where that cannot be
   * begun, e.g. on a full or read-only disk, it says so and tries again for as long as it takes: nobody may be there to do it.
   */
  async start(signal: AbortSignal): Promise<void> {
    for (const name of this.#order) await this.#open(this.#runner(name), signal);
    this.#awaited = undefined;
    this.#spreadNeeds();
    for (const name of this.#order) {
      const runner = this.#runner(name);
      if (runner.spec.dormancy?.() === undefined) runner.dispatch({ kind: 'start-requested' });
    }
    await tellForgotten(new Set(this.#order), this.#ports).catch((error: unknown) => {
      this.#ports.log.warn('units.records-unreadable', { error: messageOf(error) });
    });
  }

  /** Says of every unit that was not taken over yet why the supervision has not begun. */
  #announce(status: 'unknown' | 'false', facts: ConditionFacts): void {
    this.#awaited = facts;
    // What a unit just said of itself must not come over it.
    this.#afterTurn.flush();
    for (const { spec, state } of this.#runners.values()) {
      if (spec.dormancy?.() !== undefined || pidOf(state) !== undefined) continue;
      this.#ports.board.set(spec.condition, status, facts);
    }
  }

  async #open(runner: UnitRunner, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    for (let told = ''; ; ) {
      signal.throwIfAborted();
      try {
        await runner.open();
        return;
      } catch (error) {
        if (isAbort(error)) throw error;
        const why = messageOf(error);
        const message = `Cannot begin to supervise: ${why}; see that the home of the agent takes files and that its busybox runs, it is tried again every ${openRetryMs / 1_000} s`;
        this.#announce('false', { reason: 'CannotBegin', message });
        if (told !== why) log.error('units.cannot-begin', { unit: runner.spec.name, error });
        told = why;
        await clock.sleep(openRetryMs, signal);
      }
    }
  }

  /** Ends the supervision and leaves all processes running, to be adopted by the next agent. */
  async stop(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((runner) => runner.detach()));
  }

  /** Stops all units, dependents first, within a total budget. Nothing is started again until `startUnit`. */
  async shutdown(options: ShutdownOptions): Promise<readonly StopReport[]> {
    this.#isShuttingDown = true;
    const reports = await shutDown({
      groups: this.#groups.map((names) => names.map((name) => this.#runner(name))),
      clock: this.#ports.clock,
      watch: (listener) => this.watch(listener),
      ...options,
    });
    this.#isShuttingDown = false;
    // The end of the last unit is still waiting to be told.
    this.#afterTurn.flush();
    this.#ports.board.record('units.shut-down', { reports });
    this.#ports.log.info('units.shut-down', { reports });
    return reports;
  }

  /** All units in start order. */
  status(): readonly UnitStatus[] {
    return this.#order.map((name) => this.#runner(name).status(this.#awaited));
  }

  /** Wants a unit up and tries at once, whatever backoff there was. */
  startUnit(name: string): UnitStatus {
    return this.#ask(name, 'start-requested');
  }

  /** Wants a unit down. Refused while a unit that needs it is wanted up. */
  stopUnit(name: string): UnitStatus {
    const dependents = [...this.#runners.values()].filter(
      (other) =>
        other.spec.needs.includes(name) && other.state.wanted === 'up' && pidOf(other.state) !== undefined,
    );
    if (dependents.length > 0) {
      const names = dependents.map((other) => other.spec.name).join(', ');
      throw new AgentError(
        'UNIT_REFUSED',
        `Cannot stop "${name}": ${names} needs it and runs; stop ${names} first`,
      );
    }
    return this.#ask(name, 'stop-requested');
  }

  /** Stops and starts a unit; one that is down is started. Units that need it go on. */
  restartUnit(name: string): UnitStatus {
    return this.#ask(name, 'restart-requested');
  }

  /** Starts those anew that need a unit and run: what they knew of it is no longer so. */
  restartDependents(name: string): void {
    if (this.#isShuttingDown) return;
    for (const runner of this.#runners.values()) {
      const { wanted } = runner.state;
      if (runner.spec.needs.includes(name) && wanted === 'up' && pidOf(runner.state) !== undefined)
        runner.dispatch({ kind: 'restart-requested' });
    }
  }

  /** Resolves with the state as soon as the unit is ready; rejects with TIMED_OUT or the signal's reason. */
  async waitReady(name: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const runner = this.#runner(name);
    await waitUntil({
      clock: this.#ports.clock,
      watch: (listener) => this.watch(listener),
      isTrue: () => runner.state.phase === 'ready',
      timeoutMs,
      signal,
      late: () => {
        const { phase, reason } = runner.status();
        return `Cannot wait for "${name}": it is ${phase} (${reason}) after ${timeoutMs} ms, want ready`;
      },
    });
  }

  /** Calls back after each change of any unit; the returned function ends that. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #runner(name: string): UnitRunner {
    const runner = this.#runners.get(name);
    if (runner === undefined) {
      const names = this.#order.join(', ') || 'none';
      throw new AgentError('UNIT_UNKNOWN', `Cannot find unit "${name}": there are ${names}`);
    }
    return runner;
  }

  #ask(name: string, kind: 'start-requested' | 'stop-requested' | 'restart-requested'): UnitStatus {
    const runner = this.#runner(name);
    if (this.#isShuttingDown && kind !== 'stop-requested') {
      throw new AgentError('UNIT_REFUSED', `Cannot start "${name}": the units are being shut down`);
    }
    const idle = kind === 'stop-requested' ? undefined : runner.spec.dormancy?.();
    if (idle !== undefined && pidOf(runner.state) === undefined)
      throw new AgentError('UNIT_REFUSED', `Cannot start "${name}": ${idle.message}`);
    this.#ports.log.info('unit.requested', { unit: name, kind });
    runner.dispatch({ kind });
    return runner.status();
  }

  #changed(): void {
    this.#spreadNeeds();
    for (const listener of this.#listeners) listener();
  }

  #spreadNeeds(): void {
    for (const runner of this.#runners.values()) {
      const missing = this.#missingOf(runner);
      if (runner.state.missing?.message !== missing?.message)
        runner.dispatch({ kind: 'needs-changed', missing });
    }
  }

  #missingOf(runner: UnitRunner): Missing | undefined {
    for (const name of runner.spec.needs) {
      const need = this.#runner(name);
      if (need.state.phase === 'ready') continue;
      const reason = `WaitingFor${name.charAt(0).toUpperCase()}${name.slice(1)}`;
      const message = `${runner.spec.name} is held because ${name} is not ready (${phaseText(need.state)})`;
      return { reason, message, causedBy: need.spec.condition };
    }
    return undefined;
  }
}

function phaseText(state: UnitState): string {
  return state.phase === 'unready' ? `unready, ${state.note.reason}` : state.phase;
}
