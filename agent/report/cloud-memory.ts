import { isAgentError } from '../core/agent-error.ts';
import type { Files } from '../core/files.ts';
import type { NodeConditions } from './node-conditions.ts';

/**
 * Whether this cloud lets the agent speak beside edgecore. `separate`: proven. `takeover`: proven that it listens to
 * the node's own session only. `suspect`: a session of our own was not answered, which may have other reasons.
 */
export type CloudMode = 'unknown' | 'separate' | 'suspect' | 'takeover';

/** What is known about one cloud and one node of it, over restarts of the agent. */
export interface CloudFacts {
  /** Address and node that all of this is about. */
  readonly about: string;
  readonly mode: CloudMode;
  /** Whether edgecore's own kube-API passes writes on; undefined where nobody has tried. */
  readonly metaServer: 'works' | 'off' | undefined;
  /** What the Node object says of ours, as far as the cloud has confirmed it. */
  readonly told: NodeConditions;
}

/** Keeps the facts in a small file, written only when they change. */
export class CloudMemory {
  readonly #files: Files;
  readonly #path: string;
  #facts: CloudFacts = nothing('');
  /** Until then nobody knows what the file says, and it must not be written over. */
  #isLoaded = false;

  constructor(files: Files, path: string) {
    this.#files = files;
    this.#path = path;
  }

  get facts(): CloudFacts {
    return this.#facts;
  }

  /**
   * Reads the facts of an earlier agent, once. A broken file is set aside. One that cannot be read just now is left, which costs
   * one report too many, and may be asked for again: what was told earlier has to be known to be taken back some day.
   */
  async load(): Promise<void> {
    if (this.#isLoaded) return;
    const read = await this.#read();
    if (read === 'unreadable' || this.#isLoaded) return;
    this.#isLoaded = true;
    if (read.text === undefined) return;
    const earlier = parseFacts(read.text);
    if (earlier === undefined) await this.#files.setAside(this.#path).catch(() => undefined);
    else this.#facts = merged(earlier, this.#facts);
  }

  /** Begins anew where the cloud or the node is another one than before. */
  isAbout(about: string): boolean {
    if (this.#facts.about === about) return true;
    this.#facts = nothing(about);
    return false;
  }

  /** Takes what was learnt at once, then writes it down. A disk that refuses costs one report too many after a restart. */
  async learn(facts: Partial<Omit<CloudFacts, 'about'>>): Promise<void> {
    const next = { ...this.#facts, ...facts };
    if (JSON.stringify(next) === JSON.stringify(this.#facts)) return;
    this.#facts = next;
    await this.load();
    if (!this.#isLoaded) return;
    const text = `${JSON.stringify({ version: 1, ...this.#facts })}\n`;
    await this.#files.replace(this.#path, text, { mode: 0o600 }).catch(() => undefined);
  }

  /** What is longer than any of ours is read as broken. */
  async #read(): Promise<{ readonly text: string | undefined } | 'unreadable'> {
    try {
      return { text: await this.#files.read(this.#path) };
    } catch (error) {
      return isAgentError(error, 'TOO_LARGE') ? { text: '' } : 'unreadable';
    }
  }
}

function nothing(about: string): CloudFacts {
  return { about, mode: 'unknown', metaServer: undefined, told: {} };
}

/** Facts of an earlier agent and what was learnt before they could be read. */
function merged(earlier: CloudFacts, learnt: CloudFacts): CloudFacts {
  if (learnt.about === '') return earlier;
  if (learnt.about !== earlier.about) return learnt;
  return {
    about: learnt.about,
    mode: learnt.mode === 'unknown' ? earlier.mode : learnt.mode,
    metaServer: learnt.metaServer ?? earlier.metaServer,
    told: { ...earlier.told, ...learnt.told },
  };
}

const modes: readonly unknown[] = ['unknown', 'separate', 'suspect', 'takeover'];

function parseFacts(text: string): CloudFacts | undefined {
  try {
    const value = JSON.parse(text) as Partial<CloudFacts> & { readonly version?: unknown };
    const { about, mode, metaServer, told } = value;
    if (value.version !== 1 || typeof about !== 'string' || !modes.includes(mode)) return undefined;
    if (typeof told !== 'object' || told === null) return undefined;
    const isKnown = metaServer === 'works' || metaServer === 'off';
    return { about, mode: mode ?? 'unknown', metaServer: isKnown ? metaServer : undefined, told };
  } catch {
    return undefined;
  }
}
