/** The right to speak to the cloud as this node. Whoever holds it gives it back at once when `revoked` aborts. */
export interface SpeakerTurn {
  readonly revoked: AbortSignal;
  release(): void;
}

/** Says the last word before edgecore comes. Must end by itself within a second or two, and with its session closed. */
export type Farewell = () => Promise<void>;

/**
 * Decides who speaks to the cloud under the node's own name: edgecore, or the agent in its place. A second session of
 * the same name throws the first one out, and edgecore comes back after 30 s and does the same (kubeedge/kubeedge
 * cloud/pkg/cloudhub/session, 1.12 to 1.23), so there must never be two. edgecore goes first: its start takes the right
 * back and waits until the agent has let go.
 */
export class SpeakerGate {
  /** Until somebody says otherwise edgecore may be alive: an earlier agent may have left it running. */
  #edgecore: 'unknown' | 'coming' | 'running' | 'absent' = 'unknown';
  #turn: { readonly cancel: AbortController; readonly over: Promise<void> } | undefined;
  #farewell: Farewell | undefined;
  readonly #listeners = new Set<() => void>();

  /** Reports whether edgecore is, as far as anybody knows, neither alive nor about to start. */
  get isFree(): boolean {
    return this.#edgecore === 'absent';
  }

  /** Reports whether edgecore is alive. */
  get isEdgecoreRunning(): boolean {
    return this.#edgecore === 'running';
  }

  /** To be awaited before edgecore is spawned. Resolves as soon as nobody else speaks as the node. */
  async edgecoreStarts(): Promise<void> {
    const wasAbsent = this.#edgecore === 'absent';
    this.#edgecore = 'coming';
    const turn = this.#turn;
    if (turn !== undefined) {
      turn.cancel.abort();
      await turn.over;
    }
    if (wasAbsent) await this.#farewell?.();
    this.#become('running');
  }

  /** Tells that an edgecore was found alive. Nobody can have spoken in its place, so there is nothing to wait for. */
  edgecoreAdopted(): void {
    this.#become('running');
  }

  /** Tells that edgecore's process is gone, or that there is none. */
  edgecoreEnded(): void {
    this.#become('absent');
  }

  /** Takes the right to speak; undefined while edgecore has it or somebody else took it. */
  tryTake(): SpeakerTurn | undefined {
    if (this.#edgecore !== 'absent' || this.#turn !== undefined) return undefined;
    const cancel = new AbortController();
    let end: () => void = () => undefined;
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const turn = { cancel, over };
    this.#turn = turn;
    return {
      revoked: cancel.signal,
      release: () => {
        if (this.#turn === turn) this.#turn = undefined;
        end();
      },
    };
  }

  /** Sets what is done before edgecore is spawned, after every turn was given back; the returned function unsets it. */
  beforeEdgecore(farewell: Farewell): () => void {
    this.#farewell = farewell;
    return () => {
      if (this.#farewell === farewell) this.#farewell = undefined;
    };
  }

  /** Calls back whenever edgecore came or went; the returned function ends it. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #become(state: 'running' | 'absent'): void {
    this.#edgecore = state;
    for (const listener of this.#listeners) listener();
  }
}
