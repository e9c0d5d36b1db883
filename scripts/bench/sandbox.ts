import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';

/** Present in the environment of the run that measures. */
const mark = 'BENCH_IS_INSIDE';

const cgroups = '/sys/fs/cgroup';

/**
 * The agent prepares mounts, cgroups, routes and modules as it does on a board. On a developer's machine that must touch
 * nothing: the whole run, references included, has a mount and a network namespace of its own, and sees no module to load.
 */
export function isInside(): boolean {
  return process.env[mark] !== undefined;
}

/** Runs this program once more in namespaces of its own and resolves with its exit status. */
export async function runInside(): Promise<number> {
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const hideModules =
    'mount -t tmpfs none /lib/modules 2>/dev/null; ip link set lo up 2>/dev/null; exec "$@"';
  const own = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', [...asRoot, '--mount', '--net', 'sh', '-c', hideModules, 'sh', ...own], {
    stdio: 'inherit',
    env: { ...process.env, [mark]: 'yes' },
  });
  // A terminal tells the whole group of processes; whoever signals only this one must reach the measuring run too.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const hierarchies = cgroupFolders();
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 70));
  });
  for (const name of cgroupFolders()) if (!hierarchies.includes(name)) removeEmpty(name);
  return status;
}

/** With cgroup v1 the agent makes mount points here; the mounts are gone with the namespace, the folders are not. */
function cgroupFolders(): readonly string[] {
  return existsSync(cgroups) ? readdirSync(cgroups) : [];
}

function removeEmpty(name: string): void {
  try {
    rmdirSync(path.join(cgroups, name));
  } catch {
    // Somebody else has put it to use meanwhile.
  }
}
