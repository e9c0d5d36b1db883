import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Faults } from '../../test/standins/cloudhub/faults.ts';

/** What the cloud's process is asked to do; one at a time. */
export type CloudTask =
  | { readonly do: 'start'; readonly nodeLimit: number }
  | { readonly do: 'add'; readonly nodes: readonly string[] }
  | { readonly do: 'faults'; readonly faults: Faults }
  | { readonly do: 'heard'; readonly nodes: readonly string[]; readonly condition: string }
  | { readonly do: 'stop' };

/** Its answer to each task. */
export interface CloudAnswer {
  readonly value?: unknown;
  readonly error?: string;
}

/** Where the boards find the cloud, and the certificate that all of them show. */
export interface CloudPlace {
  readonly hubPort: number;
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

/**
 * The cloud of a fleet. It runs in a process of its own: with both ends of every session in one, 10,000 boards pass the limit of
 * open files, and then neither end is what it is on a board or in a cloud.
 */
export class CloudProcess {
  readonly place: CloudPlace;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, place: CloudPlace) {
    this.#child = child;
    this.place = place;
  }

  static async start(nodeLimit: number): Promise<CloudProcess> {
    // Read as it stands: whoever starts it may be a bundle in any folder.
    const child = fork('scripts/fleet/programs/cloud.ts', {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    return new CloudProcess(child, (await ask(child, { do: 'start', nodeLimit })) as CloudPlace);
  }

  /** Makes Node objects that say Ready. */
  async add(nodes: readonly string[]): Promise<void> {
    await ask(this.#child, { do: 'add', nodes });
  }

  async setFaults(faults: Faults): Promise<void> {
    await ask(this.#child, { do: 'faults', faults });
  }

  /** How many of the nodes say that a condition is false, and of how many there is an event. */
  async heard(nodes: readonly string[], condition: string): Promise<{ conditions: number; events: number }> {
    const answer = await ask(this.#child, { do: 'heard', nodes, condition });
    return answer as { conditions: number; events: number };
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    await ask(this.#child, { do: 'stop' });
    await gone;
  }
}

async function ask(child: ChildProcess, task: CloudTask): Promise<unknown> {
  const stop = new AbortController();
  const { signal } = stop;
  try {
    const gone = once(child, 'exit', { signal }).then(() => ({ error: 'its process ended' }));
    const answered = once(child, 'message', { signal }).then(([message]) => message as CloudAnswer);
    child.send(task);
    const answer: CloudAnswer = await Promise.race([answered, gone]);
    if (answer.error !== undefined) throw new Error(`The cloud of the fleet failed: ${answer.error}`);
    return answer.value;
  } finally {
    stop.abort();
  }
}
