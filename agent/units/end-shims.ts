import type { Processes, ProcessFacts } from '../core/process.ts';

/** A shim and the first characters of the id of its container, as docker prints them. */
export interface Shim extends ProcessFacts {
  readonly container: string;
}

/** Living shims that report to the containerd at this address; no other shims of the machine. */
export async function findShims(
  processes: Processes,
  programs: readonly string[],
  address: string,
): Promise<readonly Shim[]> {
  const shims = (await processes.findByProgram(programs)).filter(({ argv }) => argv.includes(address));
  return shims.map((shim) => {
    return { ...shim, container: (shim.argv[shim.argv.indexOf('-id') + 1] ?? '').slice(0, 12) };
  });
}

/**
 * Ends containers whose containerd has lost its metadata: the shim's children first, which is each container's first
 * process, then the shim. Returns the ids.
 */
export async function endShims(
  processes: Processes,
  programs: readonly string[],
  address: string,
): Promise<readonly string[]> {
  const shims = await findShims(processes, programs, address);
  for (const shim of shims) {
    for (const child of await processes.childrenOf(shim.pid)) await processes.signal(child, 'SIGKILL');
    await processes.signal(shim, 'SIGKILL');
  }
  return shims.map(({ container }) => container);
}
