import { endwatchProgram } from './endwatch-program.ts';
import { TinyChild } from './tiny-child.ts';
import { isTinyArch } from './tiny-program.ts';

/** Milliseconds from an adoption to the start of the child: the first moments of an agent belong to others. */
const startMs = 1_000;

/** Tells at once, and without waking anybody before, when a process has ended that is no child of ours. */
export class EndWatch {
  readonly #timer: NodeJS.Timeout;
  #child: TinyChild | undefined;

  /** `directory` takes a small program for a moment; `changed` is called when it is time to look at the process. */
  constructor(directory: string, pid: number, changed: () => void) {
    this.#timer = setTimeout(() => {
      const program = isTinyArch(process.arch) ? endwatchProgram(process.arch, pid) : undefined;
      this.#child = new TinyChild({
        directory,
        name: `endwatch-${pid}`,
        program,
        said: changed,
        ended: changed,
      });
    }, startMs).unref();
  }

  /** Whether the end will be told; otherwise the caller must look by itself. */
  get isLive(): boolean {
    return this.#child?.isLive === true;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#child?.close();
  }
}
