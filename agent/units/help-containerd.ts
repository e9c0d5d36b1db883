import type { Files } from '../core/files.ts';
import type { Processes } from '../core/process.ts';

/** Gets a hanging containerd of dockerd going again and returns what was done; empty where there is none. */
export async function helpContainerd(
  execRoot: string,
  { files, processes }: { readonly files: Files; readonly processes: Processes },
): Promise<readonly string[]> {
  const text = await files.read(`${execRoot}/containerd/containerd.pid`, 64).catch(() => undefined);
  const facts = await processes.facts(Number.parseInt(text ?? '', 10) || 0);
  if (facts?.name !== 'containerd') return [];
  if (facts.state === 'T') {
    await processes.signal(facts, 'SIGCONT');
    return [`containerd (process ${facts.pid}) had been stopped by a signal and was told to go on`];
  }
  const evidence = await processes.describe(facts.pid).catch(() => []);
  await processes.signal(facts, 'SIGKILL');
  return [`containerd (process ${facts.pid}) hung and was ended; dockerd starts another one`, ...evidence];
}
