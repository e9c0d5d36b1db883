import type { GroundFacts, GroundQuestions, ObservedMachine } from './ground-observed.ts';
import type { GroundStep } from './ground-step.ts';

/** Looks at the machine. Never changes it. */
export interface GroundObserver {
  /**
   * Text that differs whenever mounts, links, routes, rules or the forwarding switch may have changed since the last
   * call. Cheap: reads a few files of /proc and starts no process, so that an idle board stays idle.
   */
  fingerprint(): string;
  /** One whole look; the routing tables are asked for by a tool. */
  observe(signal: AbortSignal): Promise<ObservedMachine>;
  /** Answers about paths and switches of the kernel; at once, without a tool. */
  facts(questions: GroundQuestions): GroundFacts;
  /**
   * Calls back whenever the kernel says that links, addresses, routes or rules changed; the returned function ends it.
   * `isLive` is false where no such news can be had and the caller must look again by itself.
   */
  watchNetwork(onChange: () => void): { readonly isLive: boolean; close(): void };
}

/** Does one step. Rejects with STEP_FAILED, TOOL_FAILED or FILE_FAILED; a step that is done already is no error where the kernel can tell. */
export interface GroundExecutor {
  execute(step: GroundStep, signal: AbortSignal): Promise<void>;
}
