import type { GroundStep } from '../core/ground-step.ts';

/** A step that the units can do without is tried again after this time; milliseconds. */
const optionalRetryMs = 300_000;

interface Failure {
  readonly message: string;
  readonly retryAtMs: number;
}

/** Which steps failed, with what words, and when they are tried again. */
export class StepFailures {
  readonly #failures = new Map<string, Failure>();

  /** Remembers a failure; reports whether it is news, so that a lasting fault is told once. */
  add(step: GroundStep, message: string, nowMs: number): boolean {
    const delayMs = step.isOptional === true ? optionalRetryMs : 0;
    const before = this.#failures.get(step.id);
    this.#failures.set(step.id, { message, retryAtMs: nowMs + delayMs });
    return before?.message !== message;
  }

  delete(id: string): void {
    this.#failures.delete(id);
  }

  clear(): void {
    this.#failures.clear();
  }

  /** Forgets what is no longer to do. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#failures.keys()) if (!ids.has(id)) this.#failures.delete(id);
  }

  isHeldBack(step: GroundStep, nowMs: number): boolean {
    const failure = this.#failures.get(step.id);
    return failure !== undefined && nowMs < failure.retryAtMs;
  }

  /** Messages by id of the step. */
  messages(): ReadonlyMap<string, string> {
    return new Map([...this.#failures].map(([id, failure]) => [id, failure.message]));
  }
}
