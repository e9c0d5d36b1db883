import { AgentError, isAbort, isAgentError, messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Files } from '../core/files.ts';
import type { ConfigKeeper, ConfigReport } from './config-keeper.ts';
import type { EdgeStep } from './edge-plan.ts';
import { type EdgeUnits, isActive, statusOf } from './edge-units.ts';
import type { NodeRecords } from './node-record.ts';
import type { PodCleaner } from './pod-cleaner.ts';
import type { EdgecoreProgram } from './release-finder.ts';
import type { Secret } from './secret.ts';
import type { EdgeSettings } from './wanted-values.ts';

/** What the steps are performed with. */
export interface ExecutorPorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly units: EdgeUnits;
  readonly keeper: ConfigKeeper;
  readonly records: NodeRecords;
  readonly pods: PodCleaner;
  readonly retract: (signal: AbortSignal) => Promise<boolean>;
}

/** What one run of steps needs and plans must not hold. */
export interface ExecutionSecrets {
  readonly program: EdgecoreProgram | undefined;
  readonly settings: EdgeSettings | undefined;
  readonly token: Secret | undefined;
}

type StepOf<K extends EdgeStep['kind']> = Extract<EdgeStep, { kind: K }>;
type Executors = {
  readonly [K in EdgeStep['kind']]: (
    step: StepOf<K>,
    given: ExecutionSecrets,
    signal: AbortSignal,
  ) => Promise<void>;
};

/** Longest time for edgecore to go down and for dockerd to come back, in milliseconds. */
const downMs = 120_000;
const dockerdMs = 300_000;
const lookMs = 200;

/** Performs the steps of joining and leaving. */
export class EdgeExecutor {
  readonly #ports: ExecutorPorts;
  readonly #executors: Executors;
  /** What the last `write-config` did. */
  config: ConfigReport | undefined;

  constructor(ports: ExecutorPorts) {
    this.#ports = ports;
    const { files, units, records } = ports;
    this.#executors = {
      'make-directory': ({ path, mode }) => files.makeDirectory(path, mode),
      'write-file': ({ path, text, mode }) => this.#writeFile(path, text, mode),
      'copy-file': (step) => this.#copy(step),
      'remove-file': ({ path }) => files.remove(path),
      'move-file': ({ from, to }) => files.move(from, to),
      'write-config': (step, given) => this.#writeConfig(step, given),
      // No line end: 1.13 to 1.17 put the text as it is into a header.
      'write-token': ({ path }, { token }) => files.replace(path, token?.reveal() ?? '', { mode: 0o600 }),
      'write-record': ({ record }) => records.write(record),
      'remove-record': () => this.#forget(),
      'restart-dockerd': (_step, _given, signal) => this.#restartDockerd(signal),
      'start-edgecore': async () => {
        await Promise.resolve(units.startUnit('edgecore'));
      },
      'stop-edgecore': (_step, _given, signal) => this.#stop(signal),
      retract: (_step, _given, signal) => this.#retract(signal),
      'remove-pods': ({ withImages }, _given, signal) => ports.pods.remove({ withImages }, signal),
    };
  }

  /** Performs steps in order; STEP_FAILED names the one that could not be done. Returns the optional ones that failed, in words. */
  async run(
    steps: readonly EdgeStep[],
    given: ExecutionSecrets,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const missed: string[] = [];
    for (const step of steps) {
      signal.throwIfAborted();
      try {
        await this.#perform(step, given, signal);
      } catch (error) {
        if (step.isOptional === true && !isAbort(error)) {
          missed.push(`could not ${step.what}: ${messageOf(error)}`);
          continue;
        }
        if (isAgentError(error, 'TIMED_OUT') || isAgentError(error, 'UNIT_REFUSED')) throw error;
        throw new AgentError('STEP_FAILED', `Cannot ${step.what}: ${messageOf(error)}`, { cause: error });
      }
    }
    return missed;
  }

  #perform(step: EdgeStep, given: ExecutionSecrets, signal: AbortSignal): Promise<void> {
    const execute = this.#executors[step.kind] as (
      step: EdgeStep,
      given: ExecutionSecrets,
      signal: AbortSignal,
    ) => Promise<void>;
    return execute(step, given, signal);
  }

  async #writeFile(path: string, text: string, mode: number): Promise<void> {
    await this.#ports.files.makeDirectory(path.slice(0, path.lastIndexOf('/')));
    await this.#ports.files.replace(path, text, { mode });
  }

  async #copy({ from, to }: StepOf<'copy-file'>): Promise<void> {
    const { files } = this.#ports;
    await files.makeDirectory(to.slice(0, to.lastIndexOf('/')));
    await files.copy(from, to, 0o755);
  }

  async #writeConfig({ holdsToken }: StepOf<'write-config'>, given: ExecutionSecrets): Promise<void> {
    const { program, settings, token } = given;
    if (program === undefined || settings === undefined)
      throw new AgentError('BUG', 'a configuration without settings');
    this.config = await this.#ports.keeper.update(program, settings, holdsToken ? token : undefined);
  }

  async #forget(): Promise<void> {
    await this.#ports.keeper.remove();
    await this.#ports.records.remove();
  }

  async #retract(signal: AbortSignal): Promise<void> {
    if (await this.#ports.retract(signal)) return;
    throw new AgentError('TIMED_OUT', 'the cloud did not confirm it; they go when the node is deleted there');
  }

  async #stop(signal: AbortSignal): Promise<void> {
    const { units } = this.#ports;
    units.stopUnit('edgecore');
    await this.#until(
      () => !isActive(units, 'edgecore'),
      { what: 'wait for edgecore to stop', ms: downMs },
      signal,
    );
  }

  async #restartDockerd(signal: AbortSignal): Promise<void> {
    const { units } = this.#ports;
    const before = statusOf(units, 'dockerd')?.pid;
    units.restartUnit('dockerd');
    const isBack = (): boolean => {
      const now = statusOf(units, 'dockerd');
      return now?.phase === 'ready' && now.pid !== before;
    };
    await this.#until(isBack, { what: 'wait for dockerd to come back', ms: dockerdMs }, signal);
  }

  async #until(
    isTrue: () => boolean,
    limit: { readonly what: string; readonly ms: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#ports;
    const deadline = clock.nowMs() + limit.ms;
    while (!isTrue()) {
      if (clock.nowMs() >= deadline) {
        throw new AgentError('TIMED_OUT', `Cannot ${limit.what}: it took longer than ${limit.ms / 1000} s`);
      }
      await clock.sleep(lookMs, signal);
    }
  }
}
