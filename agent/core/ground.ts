import type { GroundFacts, GroundQuestions, ObservedMachine } from './ground-observed.ts';
import type { GroundStep } from './ground-step.ts';

/** Looks at the machine. Never changes it. */
export interface GroundObserver {
  /**
   * Text that differs whenever mounts, links, routes, rules or the forwarding switch may have changed since the last
   * call. Cheap: reads a few files of /proc and starts no process, so that an idle board stays idle.
   */
  fingerprint(): string;
  /**
   * Lets the next look trust nothing that was read before: somebody asks now, or has just changed something, and the kernel's news
   * of it may still be on its way.
   */
  forget(): void;
  /** One whole look; the routing tables are asked for by a tool. */
  observe(signal: AbortSignal): Promise<ObservedMachine>;
  /** Answers about paths and switches of the kernel; at once, without a tool. */
  facts(questions: GroundQuestions): GroundFacts;
  /** Calls back, perhaps several times in a row, whenever mounts, links, addresses, routes, rules or forwarding changed. */
  watch(onNews: (news: GroundNews) => void): GroundWatch;
}

/** What has changed: mounts and nothing else, or the network and perhaps mounts too. */
export type GroundNews = 'mounts' | 'network';

/** News from the kernel about what the ground is made of. */
export interface GroundWatch {
  /** Whether news really comes; otherwise the caller must look again by itself. */
  isLive(): boolean;
  close(): void;
}

/** Does one step. Rejects with STEP_FAILED, TOOL_FAILED or FILE_FAILED; a step that is done already is no error where the kernel can tell. */
export interface GroundExecutor {
  execute(step: GroundStep, signal: AbortSignal): Promise<void>;
}
