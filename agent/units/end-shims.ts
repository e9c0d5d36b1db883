import type { Processes } from '../core/process.ts';

/**
 * Ends containers whose containerd has lost its metadata: the shim's children first, which is each container's first
 * process, then the shim. Returns the ids. Only shims that report to the containerd in this exec-root are touched.
 */
export async function endShims(
  processes: Processes,
  programs: readonly string[],
  execRoot: string,
): Promise<readonly string[]> {
  const address = `${execRoot}/containerd/containerd.sock`;
  const shims = (await processes.findByProgram(programs)).filter(({ argv }) => argv.includes(address));
  for (const shim of shims) {
    for (const child of await processes.childrenOf(shim.pid)) await processes.signal(child, 'SIGKILL');
    await processes.signal(shim, 'SIGKILL');
  }
  return shims.map(({ argv }) => (argv[argv.indexOf('-id') + 1] ?? '').slice(0, 12));
}
