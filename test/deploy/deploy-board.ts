import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { type DeployOutcome, deploy } from '../../scripts/deploy/deploy.ts';
import { RemoteBoard } from '../../scripts/deploy/remote-board.ts';
import { remoteTools } from '../../scripts/deploy/remote-tools.ts';
import { contentManifest } from '../../scripts/image/content-manifest.ts';
import { directory, file, text } from '../../scripts/image/tree.ts';
import { scratch } from '../parts/samples.ts';

const busybox = '/usr/bin/busybox';
export const skip =
  process.getuid?.() !== 0
    ? 'needs root for chroot'
    : !existsSync(busybox) && 'needs /usr/bin/busybox (Debian package busybox-static)';
export const product = '/system/opt/oh-edge-agent';
export const cfgPath = '/system/etc/init/oh_edge_agent.cfg';

const tools = 'sh id sed cut tail readlink grep mkdir cat find mv cp chmod ln rm sync echo'.split(' ');
export const scripts: Readonly<Record<string, string>> = {
  uname: '[ "$1" = -m ] && echo aarch64 || echo 6.6.22',
  param: 'cat /release',
  df: 'echo Filesystem; echo "/dev/data 1 1 $(cat /room) 1% /data"',
  mount: 'echo "$2" >>/mounts',
  begetctl:
    'case $1 in stop_service) rm -f /running ;; start_service) [ -e /known ] && : >/running ;; esac; return 0',
};

export function functionsOf(bodies: Readonly<Record<string, string>>): string {
  return Object.entries(bodies)
    .map(([name, body]) => `${name}() { ${body}; }\n`)
    .join('');
}

/** The pushed program: busybox, but for what a folder cannot do; trials of the kernel come out as the board says. */
export const pushed = `#!/system/bin/busybox sh
case \${0##*/} in busybox*) ;; *) echo applet not found; exit 127 ;; esac
case $1 in
unshare) cat /trials ;;
pgrep) [ -e /running ] ;;
*) exec /system/bin/busybox "$@" ;;
esac
`;
export const goodTrials =
  'overlay ok\noverlay-data ok\nmqueue ok\nveth ok\nbridge ok\nnat ok\naddrtype ok\nconntrack ok\n';

/** A board of OpenHarmony's shape in a folder, behind the stand-in for hdc. */
export async function newBoard(t: TestContext) {
  const root = await scratch(t);
  for (const name of ['system/bin', 'system/etc/init', 'data', 'dev', 'proc/sys/kernel/random'])
    await mkdir(path.join(root, name), { recursive: true });
  await cp(busybox, path.join(root, 'system/bin/busybox'));
  for (const name of tools) await symlink('busybox', path.join(root, 'system/bin', name));
  // Functions, because this busybox prefers what is built in to programs in PATH.
  await writeFile(path.join(root, 'functions'), functionsOf(scripts));
  await writeFile(path.join(root, 'release'), 'OpenHarmony-6.0.0.49\n');
  await writeFile(path.join(root, 'trials'), goodTrials);
  await writeFile(path.join(root, 'pushed'), pushed);
  await writeFile(path.join(root, 'proc/mounts'), '/dev/data /data ext4 rw 0 0\n');
  await writeFile(path.join(root, 'proc/cgroups'), 'devices\t1\t1\t1\n');
  await writeFile(path.join(root, 'proc/sys/kernel/random/boot_id'), 'first\n');
  await writeFile(path.join(root, 'room'), '1000000\n');
  const hdc = { tool: remoteTools.hdc, command: ['sh', path.resolve('test/standins/hdc/hdc.sh'), root] };
  const board = new RemoteBoard({ ...hdc, target: 'STANDIN' });
  const faults = async (counts: Readonly<Record<string, number>>): Promise<void> => {
    const folder = path.join(root, 'faults');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    for (const [name, count] of Object.entries(counts))
      await writeFile(path.join(folder, name), `${count}\n`);
  };
  const asked = async (): Promise<string[]> =>
    (await readFile(path.join(root, 'asked.log'), 'utf8')).trim().split('\n');
  return { root, hdc, board, faults, asked };
}

export type TestBoard = Awaited<ReturnType<typeof newBoard>>;

/** A product whose agentctl answers ready unless the product is marked broken. */
export async function sampleProduct(
  { root }: TestBoard,
  version: string,
  change: { readonly isBroken?: true; readonly cfg?: string } = {},
) {
  const agentctl = `#!/system/bin/sh\n[ -e /running ] && [ ! -e ${product}/broken ]\n`;
  const entries = [
    text('/system/bin/agentctl', agentctl, 0o755),
    text(cfgPath, change.cfg ?? '{}', 0o500),
    directory(product),
    file(`${product}/bin/busybox`, path.join(root, 'pushed'), 0o755),
    text(`${product}/agent.js`, `// ${version}\n${'x'.repeat(5000)}${Math.sqrt(version.length)}`),
    ...(change.isBroken === true ? [text(`${product}/broken`, '')] : []),
  ];
  return { version, entries, bill: '', contents: await contentManifest(entries, version) };
}

export async function install(
  { board }: Pick<TestBoard, 'board'>,
  made: Awaited<ReturnType<typeof sampleProduct>>,
  more: { readonly pieceBytes?: number; readonly isAnyway?: true } = {},
): Promise<DeployOutcome & { said: string[] }> {
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const patience = { tries: 3, pauseMs: 1 };
  const order = { board, product: made, say, timeout: '1s', patience, pieceBytes: 100_000, ...more };
  const outcome = await deploy(order);
  return { ...outcome, said };
}

/** What the agent on the board is, seen through the link in its root. */
export async function activeVersion({ root }: TestBoard): Promise<string> {
  const active = await readlink(path.join(root, 'data/oh-edge-agent/active'));
  return (await readFile(path.join(root, active, 'agent.js'), 'utf8')).split('\n')[0] ?? '';
}
