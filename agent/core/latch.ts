/** Opens once and stays open. */
export class Latch {
  /** Resolves when it is open. */
  readonly isOpen: Promise<void>;
  #resolve: () => void = () => undefined;

  constructor() {
    this.isOpen = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  open(): void {
    this.#resolve();
  }
}
