import type { ProgramFacts, Programs, SocketState, UnixSockets } from '../../agent/core/program.ts';

const aarch64 = 183;

/** Program files by path; a path that nobody put there is absent. */
export class FakePrograms implements Programs {
  readonly machine = aarch64;
  readonly #files = new Map<string, ProgramFacts>();
  #version = 0;

  /** Puts a good program, or the given facts, at a path; each time it counts as another file. */
  put(path: string, facts: Partial<Extract<ProgramFacts, { kind: 'file' }>> = {}): void {
    this.#version += 1;
    const elf = { bits: 64, machine: aarch64 } as const;
    this.#files.set(path, {
      kind: 'file',
      isExecutable: true,
      elf,
      fingerprint: String(this.#version),
      ...facts,
    });
  }

  inspect(path: string): Promise<ProgramFacts> {
    return Promise.resolve(this.#files.get(path) ?? { kind: 'absent' });
  }
}

/** Unix sockets by path. */
export class FakeSockets implements UnixSockets {
  readonly states = new Map<string, SocketState>();

  state(path: string): Promise<SocketState> {
    return Promise.resolve(this.states.get(path) ?? 'absent');
  }
}
