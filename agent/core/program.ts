/** Head of an ELF file, as far as it decides whether the kernel can run it. */
export interface ElfFacts {
  readonly bits: 32 | 64;
  /** `e_machine`: 62 x86-64, 183 aarch64, 40 arm, 3 i386. */
  readonly machine: number;
}

/** What a path that should be a program really is. Follows links. */
export type ProgramFacts =
  | { readonly kind: 'absent' }
  | { readonly kind: 'not-a-file'; readonly fingerprint: string }
  | {
      readonly kind: 'file';
      readonly isExecutable: boolean;
      /** Set where the file is ELF. */
      readonly elf?: ElfFacts;
      /** Set where the file begins with `#!`. */
      readonly interpreter?: string;
      /** Device, inode, size and times: changes whenever the file is replaced or rewritten. */
      readonly fingerprint: string;
    };

/** Looks at programs and other files without running them. */
export interface Programs {
  inspect(path: string): Promise<ProgramFacts>;
  /** `e_machine` of the machine that we run on. */
  readonly machine: number;
}

/** State of a Unix socket file: somebody listens, nobody does any more (left over), or no file. */
export type SocketState = 'listening' | 'dead' | 'absent';

/** Asks a Unix socket whether anybody is behind it. */
export interface UnixSockets {
  state(path: string, timeoutMs: number): Promise<SocketState>;
}
