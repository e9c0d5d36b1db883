/**
 * What waits until the event loop is through with its turn, in the order in which it came: whatever is urgent, and all
 * promises that are settled by it, come first.
 */
export class AfterTurn {
  readonly #nextTurn: () => Promise<void>;
  #acts: (() => void)[] = [];

  /** `nextTurn` resolves when the turn is over. */
  constructor(nextTurn: () => Promise<void>) {
    this.#nextTurn = nextTurn;
  }

  push(act: () => void): void {
    if (this.#acts.push(act) === 1) void this.#nextTurn().then(() => this.flush());
  }

  /** Does now what waits, and what comes up on the way; for an owner that ends. Where an act throws, the others come first. */
  flush(): void {
    let failure: { readonly error: unknown } | undefined;
    while (this.#acts.length > 0) {
      const acts = this.#acts;
      this.#acts = [];
      for (const act of acts) {
        try {
          act();
        } catch (error) {
          failure ??= { error };
        }
      }
    }
    if (failure !== undefined) throw failure.error;
  }
}
