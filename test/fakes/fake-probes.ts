import {
  type DiskRoom,
  type GroundProbes,
  type KernelProbe,
  kernelProbes,
  type ProbePlace,
  type ProbeResults,
  type ProcessNamespace,
} from '../../agent/core/ground-probes.ts';
import type { ProgramFacts, Programs } from '../../agent/core/program.ts';

/** A kernel, a disk and a network that can do everything until they are told otherwise. */
export class FakeProbes implements GroundProbes {
  config: string | undefined;
  bits: number | undefined = 0;
  disk: DiskRoom | undefined = {
    freeBytes: 8e9,
    totalBytes: 16e9,
    freeInodes: 900_000,
    totalInodes: 1_000_000,
  };
  readonly refused = new Map<KernelProbe, string>();
  readonly silentServers = new Set<string>();
  iptablesVersion: string | undefined = 'iptables v1.8.11 (legacy)';
  forwardPolicy = '-P FORWARD ACCEPT';
  processes: readonly ProcessNamespace[] = [];
  kernelError: Error | undefined;

  kernelConfig(): Promise<string | undefined> {
    return Promise.resolve(this.config);
  }

  async kernel({ iptables }: ProbePlace): Promise<ProbeResults> {
    if (this.kernelError !== undefined) throw this.kernelError;
    const needsTables = new Set<KernelProbe>(['nat', 'addrtype', 'conntrack', 'raw']);
    const tried = kernelProbes.filter((probe) => iptables !== undefined || !needsTables.has(probe));
    return new Map(
      tried.map((probe) => [probe, { isOk: !this.refused.has(probe), said: this.refused.get(probe) ?? '' }]),
    );
  }

  securebits(): Promise<number | undefined> {
    return Promise.resolve(this.bits);
  }

  namespaces(): readonly ProcessNamespace[] {
    return this.processes;
  }

  room(): DiskRoom | undefined {
    return this.disk;
  }

  answersDns(server: string): Promise<boolean> {
    return Promise.resolve(!this.silentServers.has(server));
  }

  version(argv: readonly string[]): Promise<string | undefined> {
    return Promise.resolve(argv.includes('-S') ? this.forwardPolicy : this.iptablesVersion);
  }
}

/** Programs by path; whatever is not named is a good arm64 program. */
export class FakePrograms implements Programs {
  machine = 183;
  readonly odd = new Map<string, ProgramFacts>();

  inspect(path: string): Promise<ProgramFacts> {
    const good = {
      kind: 'file',
      isExecutable: true,
      elf: { bits: 64, machine: 183 },
      fingerprint: path,
    } as const;
    // Nothing was updated on these boards, so the image's programs are those that count.
    const usual: ProgramFacts = path.includes('/parts/') ? { kind: 'absent' } : good;
    return Promise.resolve(this.odd.get(path) ?? usual);
  }
}
