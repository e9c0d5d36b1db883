import type { Processes, ProcessFacts } from '../core/process.ts';
import { shortId } from './docker-containers.ts';

/** A shim and whose it is. */
export interface Shim extends Pick<ProcessFacts, 'pid' | 'startTicks'> {
  /** First 12 characters of the id of its container, as docker prints them. */
  readonly container: string;
  /** containerd's namespace: `moby` for docker's containers, `k8s.io` for those of the CRI. */
  readonly namespace: string;
}

/**
 * Living shims that report to the containerd at this address; no other shims of the machine. With `state` only those in it,
 * never one in D: arguments of the others are not read, because one that hangs on a disk would hold whoever reads them.
 */
export async function findShims(
  processes: Processes,
  programs: readonly string[],
  address: string,
  state?: string,
): Promise<readonly Shim[]> {
  const found = await processes.findByProgram(programs);
  const isReadable = (one: ProcessFacts): boolean =>
    state === undefined ? one.state !== 'D' : one.state === state;
  const shims = found.filter((one) => isReadable(one) && one.argv.includes(address));
  return shims.map(({ pid, startTicks, argv }) => {
    const valueOf = (option: string): string => argv[argv.indexOf(option) + 1] ?? '';
    return { pid, startTicks, container: shortId(valueOf('-id')), namespace: valueOf('-namespace') };
  });
}

/**
 * Ends containers: the shim's children first, which is each container's first process, then the shim. Returns the ids.
 */
export async function endShims(
  processes: Processes,
  programs: readonly string[],
  address: string,
  isMeant: (shim: Shim) => boolean = () => true,
): Promise<readonly string[]> {
  const shims = (await findShims(processes, programs, address)).filter(isMeant);
  for (const shim of shims) {
    for (const child of await processes.childrenOf(shim.pid)) await processes.signal(child, 'SIGKILL');
    await processes.signal(shim, 'SIGKILL');
  }
  return shims.map(({ container }) => container);
}
