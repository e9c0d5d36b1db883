import type { GroundNews, GroundWatch } from '../core/ground.ts';
import { netwatchProgram, netwatchWords } from './netwatch-program.ts';
import { placeProgram, TinyChild } from './tiny-child.ts';
import { isTinyArch } from './tiny-program.ts';

const name = 'netwatch';

/**
 * Listens to the kernel's news about mounts, interfaces, addresses, routes and rules through one small child that sleeps
 * until there is any. Where the child cannot run, `isLive` is false and the caller has to look by itself.
 */
export class HostGroundWatch implements GroundWatch {
  readonly #child: TinyChild;

  /** `directory` takes the program for the moment of its start; it must allow execution. */
  constructor(directory: string, onNews: (news: GroundNews) => void) {
    this.#child = new TinyChild({
      directory,
      name,
      program: program(),
      said: (words) => onNews(words.replaceAll(netwatchWords.mounts, '') === '' ? 'mounts' : 'network'),
      // Whatever happens while nobody listens is found by the look that this asks for.
      ended: () => onNews('network'),
    });
  }

  isLive(): boolean {
    return this.#child.isLive;
  }

  close(): void {
    this.#child.close();
  }
}

/** Writes the program for this architecture; undefined where there is none or the directory takes no file. */
export function placeNetwatch(directory: string): string | undefined {
  const bytes = program();
  return bytes === undefined ? undefined : placeProgram(directory, name, bytes);
}

function program(): Uint8Array | undefined {
  return isTinyArch(process.arch) ? netwatchProgram(process.arch) : undefined;
}
