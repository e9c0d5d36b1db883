import { isAgentError, messageOf } from '../../agent/core/agent-error.ts';
import type { DownloadTools } from './download.ts';
import { type FetchOutcome, type FetchPlaces, fetchPart } from './fetch-part.ts';
import { type Part, partId } from './part.ts';
import type { PartStore } from './store.ts';

/** A part that did not come, and why. */
export interface FetchFailure {
  readonly part: string;
  readonly problem: string;
}

export interface FetchResult {
  readonly done: readonly FetchOutcome[];
  readonly failed: readonly FetchFailure[];
}

/** Fetches several parts, at most `jobs` at a time; one that fails does not stop the others. Results keep the order asked for. */
export async function fetchAll(
  parts: readonly Part[],
  jobs: number,
  store: PartStore,
  how: { readonly places: FetchPlaces; readonly tools: DownloadTools },
): Promise<FetchResult> {
  const outcomes: (FetchOutcome | FetchFailure)[] = [];
  const queue = [...parts.entries()];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, part] = next;
      outcomes[index] = await fetchPart(part, store, how.places, how.tools).catch((error: unknown) => {
        if (!isAgentError(error)) throw error;
        return { part: partId(part), problem: messageOf(error) };
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, parts.length) }, work));
  how.tools.progress.end();
  return {
    done: outcomes.filter((one) => 'sha256' in one),
    failed: outcomes.filter((one) => 'problem' in one),
  };
}
