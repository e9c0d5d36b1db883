/** Where a person sees what takes long, and how long it took. */
export interface Progress {
  /** Runs one step; its start, its notes and its outcome are shown. */
  step<T>(what: string, work: (note: (text: string) => void) => Promise<T>): Promise<T>;
  /** One line outside any step. */
  say(text: string): void;
}

/** One finished step, as `--json` reports it. */
export interface StepRecord {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
}

/** Progress on stderr, so that stdout stays for results; finished steps are collected in `records`. */
export class TextProgress implements Progress {
  readonly records: StepRecord[] = [];
  #depth = 0;

  async step<T>(what: string, work: (note: (text: string) => void) => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    const indent = '  '.repeat(this.#depth);
    const seconds = (): number => Math.round((performance.now() - startedMs) / 100) / 10;
    this.say(`${indent}${what} …`);
    this.#depth += 1;
    const record = (ok: boolean): void => {
      this.#depth -= 1;
      this.records.push({ name: what, ok, seconds: seconds() });
      this.say(`${indent}${what}: ${ok ? 'done' : 'FAILED'} after ${seconds().toFixed(1)} s`);
    };
    try {
      const result = await work((text) => this.say(`${indent}  ${text}`));
      record(true);
      return result;
    } catch (error) {
      record(false);
      throw error;
    }
  }

  say(text: string): void {
    process.stderr.write(`lab: ${text}\n`);
  }
}
