import type { ElfFacts } from './elf.ts';

/** A file that a part takes: where it goes below the part's folder, and its permission bits. */
export interface IntakeFile {
  readonly to: string;
  readonly mode: number;
}

/** How a file that was handed in becomes the files of a part. */
export interface IntakeOrder {
  /** Absolute path of what was handed in. */
  readonly file: string;
  /** Existing, empty folder that the part's files go into. */
  readonly folder: string;
  /** What becomes of an archive's file with this plain name; undefined passes it over. */
  readonly wanted: (name: string) => IntakeFile | undefined;
  /** What a file that is no archive becomes. */
  readonly single: IntakeFile;
  /** Passes links of an archive over instead of refusing it; they are never made. */
  readonly mayHoldLinks: boolean;
  /** Most bytes that may be written. */
  readonly maxBytes: number;
}

/** What was handed in. */
export interface Taken {
  /** SHA-256 of the file as it was handed in, lower-case hex. */
  readonly sha256: string;
  readonly kind: 'single' | 'archive';
  /** Files that are in the folder now, with their size in bytes. */
  readonly files: ReadonlyMap<string, number>;
}

/** First look at a file that was handed in. */
export interface IntakeFacts {
  readonly bytes: number;
  /** Bytes that it needs on the disk as far as it says so itself; a lie is caught by `maxBytes`. */
  readonly claimedBytes: number;
}

/** Takes files that people hand in. Rejects with PART_REFUSED for what no good file holds. */
export interface PartIntake {
  look(file: string): Promise<IntakeFacts>;
  /** Reads the file once: what is checked is what is taken. */
  take(order: IntakeOrder, signal: AbortSignal): Promise<Taken>;
  /** Facts of an ELF file, or why it is none. */
  readElf(path: string): Promise<ElfFacts | { readonly problem: string }>;
  /** Why a text is no whole script of JavaScript; undefined where it is one. */
  scriptProblem(path: string): Promise<string | undefined>;
  /** Reports whether the kernel would let us start a file: modes, and a file system without programs. */
  mayRun(path: string): Promise<boolean>;
}
