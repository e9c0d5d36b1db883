import { messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Processes, RunningProcess } from '../core/process.ts';
import type { UnitSpec } from '../core/unit-spec.ts';
import { within } from '../core/within.ts';
import { evidenceMs } from './state.ts';

/** Why a unit hangs, as far as it can be seen. */
export interface Evidence {
  readonly lines: readonly string[];
  /** Whether a signal had stopped it and it was told to go on: then it needs no kill. */
  readonly isResumed: boolean;
}

/** Looks at a unit that does not answer, before it is stopped: afterwards nobody can tell any more. Never rejects. */
export async function gatherEvidence(
  running: RunningProcess,
  spec: Pick<UnitSpec, 'gatherEvidence'>,
  ports: { readonly clock: Clock; readonly processes: Processes },
): Promise<Evidence> {
  const facts = await ports.processes.describe(running.identity.pid).catch(() => []);
  const isStopped = facts.some((line) => /^State:\s*[Tt]/.test(line));
  if (isStopped && running.signal('SIGCONT')) return { lines: facts, isResumed: true };
  const ask = spec.gatherEvidence?.bind(spec);
  if (ask === undefined) return { lines: facts, isResumed: false };
  try {
    const more = await within(ports.clock, evidenceMs - 500, (signal) => ask(running.identity, signal));
    return { lines: [...facts, ...more], isResumed: false };
  } catch (error) {
    return { lines: [...facts, `no more evidence: ${messageOf(error)}`], isResumed: false };
  }
}
