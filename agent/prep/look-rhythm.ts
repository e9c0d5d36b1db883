import type { Clock } from '../core/clock.ts';

/** Looks again at least this often even where nothing seems to have changed; milliseconds. */
const wholeLookMs = 120_000;
/** Compares this often where the kernel tells all changes but those of cgroups: waking up is most of what an idle agent costs. */
const calmMs = 60_000;
/** News comes in bursts; a look waits this long for the rest of one. Milliseconds. */
const settleMs = 150;
/** Time between a look and the next one that news asks for, in milliseconds: containers that come and go are news too. */
const gapMs = 1_000;

/** When the ground is looked at next. */
export class LookRhythm {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #hasNews = false;
  #isOver = false;
  #hasten: () => void = () => undefined;

  /** `intervalMs` counts where news does not come, or something is amiss. */
  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** A whole look begins. */
  look(): void {
    this.#lookedAtMs = this.#clock.nowMs();
    this.#hasNews = false;
  }

  /** Whether a whole look is due whatever seems to be. */
  isLookDue(): boolean {
    return this.#sinceLookMs() >= wholeLookMs;
  }

  /** There is news: the rest that is under way, or else the next one, is short. */
  wake(): void {
    this.#hasNews = true;
    this.#hasten();
  }

  /** Nobody looks any more; a rest that is under way is over. */
  end(): void {
    this.#isOver = true;
    this.#hasten();
  }

  /** Resolves after the interval, or shortly after the first news. */
  async rest(isCalm: boolean): Promise<void> {
    if (this.#isOver) return;
    await new Promise<void>((resolve) => {
      let isSoon = this.#hasNews;
      let cancel = this.#clock.after(isSoon ? this.#soonMs() : this.#pauseMs(isCalm), resolve);
      this.#hasten = () => {
        if (isSoon && !this.#isOver) return;
        isSoon = true;
        cancel();
        if (this.#isOver) resolve();
        else cancel = this.#clock.after(this.#soonMs(), resolve);
      };
    });
    this.#hasten = () => undefined;
    this.#hasNews = false;
  }

  #soonMs(): number {
    return Math.max(settleMs, gapMs - this.#sinceLookMs());
  }

  #pauseMs(isCalm: boolean): number {
    if (!isCalm) return this.#intervalMs;
    const untilWholeMs = Math.max(settleMs, wholeLookMs - this.#sinceLookMs());
    return Math.max(this.#intervalMs, Math.min(calmMs, untilWholeMs));
  }

  #sinceLookMs(): number {
    return this.#clock.nowMs() - this.#lookedAtMs;
  }
}
