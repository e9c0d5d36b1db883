import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { productDir } from '../../agent/core/constants.ts';
import { readElf } from '../../agent/core/elf.ts';
import { findLibraries, type Parts, requireFittingParts } from '../image/check-parts.ts';
import type { Product } from '../image/product.ts';
import { directory, file, mergeTrees, type TreeEntry, text } from '../image/tree.ts';
import { exists, fileKey, makeOnce, textKey } from './cache.ts';
import { runCommand } from './command.ts';
import { packCpio } from './cpio.ts';
import { fetchDebs } from './debs.ts';
import { makeDataDisk, makeExt4 } from './ext4.ts';
import { findKernel, type Kernel } from './kernel.ts';
import { labProduct, type ProductForm, productEntries } from './lab-product.ts';
import { modulesToLoad } from './modules.ts';
import { fetchNode } from './node.ts';
import { compilePrograms } from './programs.ts';
import type { Progress } from './progress.ts';
import { labLibraryFolder, systemTree, vendorTree } from './system.ts';

/** Files from which a board boots. */
export interface LabImage {
  readonly kernel: string;
  readonly initrd: string;
  readonly system: string;
  readonly vendor: string;
  /** The empty disk that a fresh /data starts from. */
  readonly emptyData: string;
  /** The product that is, or could be, on it. */
  readonly product: Product;
}

export interface ImageOptions {
  /** Repository root. */
  readonly repository: string;
  /** Folder of the product's bundles. */
  readonly dist: string;
  readonly root: 'image' | 'stock';
  /** How the product gets into the image. */
  readonly form: ProductForm;
  /** Kernel modules that are not there. */
  readonly withoutModules: readonly string[];
  readonly dataFileSystem: 'ext4' | 'f2fs';
  readonly aptSources?: string | undefined;
  readonly refresh: boolean;
  /** What a scenario adds to the system partition, e.g. stand-ins. */
  readonly extra?: readonly TreeEntry[] | ((parts: Parts) => Promise<readonly TreeEntry[]>);
}

/** `?` marks what only some releases have as a package of its own. */
const packageNames = [
  'docker.io docker-cli? containerd runc tini containernetworking-plugins',
  'iptables iproute2 busybox-static mksh toybox ca-certificates',
  'libc6 libstdc++6 libgcc-s1 zlib1g',
].flatMap((line) => line.split(' '));
const kernelNames = ['linux-image-arm64', 'linux-image-generic'];

const labLoader = `${labLibraryFolder}/ld-linux-aarch64.so.1`;
const dockerPrograms = [
  'dockerd',
  'docker',
  'docker-proxy',
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'runc',
];
const systemPrograms = ['toybox', 'ip', 'xtables-legacy-multi'];
const cniPlugins = ['bridge', 'host-local', 'loopback', 'portmap'];
const adaptedPrograms = [...dockerPrograms, ...cniPlugins, ...systemPrograms];

/** Makes everything a board boots from; each piece only when what it is made from changed. */
export async function buildImage(options: ImageOptions, progress: Progress): Promise<LabImage> {
  const cache = path.join(options.repository, '.cache/lab');
  await mkdir(cache, { recursive: true });
  const { aptSources: sources, refresh } = options;
  const debs = await fetchDebs(
    cache,
    { names: packageNames, kernels: kernelNames, sources, refresh },
    progress,
  );
  const node = await fetchNode(cache, progress);
  const lab = path.join(options.repository, 'test/lab');
  const program = await compilePrograms(lab, cache, progress);
  const kernel = await findKernel(debs.root, path.join(cache, 'modules'));
  const programs = await adaptPrograms(debs.root, cache, progress);
  const folders = libraryFolders(debs.root);

  const parts: Parts = {
    busybox: await locate(debs.root, 'busybox'),
    node,
    nodeLibraries: (await findLibraries(node, folders)).files,
    docker: {
      ...Object.fromEntries(dockerPrograms.map((name) => [name, programs(name)])),
      'docker-init': await locate(debs.root, 'tini-static'),
    },
  };
  await requireFittingParts(parts, { machine: 'aarch64', loaders: [labLoader] });

  const systemSources = {
    program,
    packages: (name: string): string =>
      systemPrograms.includes(path.basename(name))
        ? programs(path.basename(name))
        : path.join(debs.root, name),
    boardFiles: path.join(lab, 'board'),
    certificates: path.join(debs.root, 'usr/share/ca-certificates/mozilla'),
  };
  // Added apart from the other parts, which must be static where they are no docker program.
  const plugins = cniPlugins.map((name) => file(`${productDir}/cni/${name}`, programs(name), 0o755));
  const product = await labProduct({ ...options, parts, more: plugins });
  const entries = await productEntries(product, options.form);
  const labLibraries = await librariesOf(adaptedPrograms.map(programs), folders);
  const xtables = path.join(debs.root, 'usr/lib/aarch64-linux-gnu/xtables');
  const root = await systemTree(systemSources, labLibraries, xtables);
  const { extra = [] } = options;
  const system = mergeTrees(root, entries, typeof extra === 'function' ? await extra(parts) : extra);
  const vendor = mergeTrees(await vendorTree(systemSources, options.dataFileSystem));

  return {
    kernel: kernel.image,
    initrd: await buildInitrd(cache, kernel, program('first-stage'), options.withoutModules),
    system: await buildDisk(cache, 'system', system, progress),
    vendor: await buildDisk(cache, 'vendor', vendor, progress),
    emptyData: await buildEmptyData(cache, options.dataFileSystem, progress),
    product,
  };
}

function libraryFolders(root: string): string[] {
  const triple = 'aarch64-linux-gnu';
  return [`lib/${triple}`, `usr/lib/${triple}`, 'lib', 'usr/lib'].map((name) => path.join(root, name));
}

/** Debian is moving programs from /bin and /sbin to /usr, so they are looked for in all four places. CNI plugins have their own. */
async function locate(root: string, name: string): Promise<string> {
  for (const folder of ['usr/bin', 'usr/sbin', 'bin', 'sbin', 'usr/lib/cni']) {
    const candidate = path.join(root, folder, name);
    if (await exists(candidate)) return candidate;
  }
  throw new AgentError('FILE_FAILED', `Cannot find ${name} in the fetched packages; run with --refresh`);
}

/**
 * Debian's docker, iproute2, iptables and toybox want glibc, which no OpenHarmony board has. Here, and only here, copies
 * of them are told to use a loader and libraries in the lab's own folder; on a board docker's static archive takes the
 * place of the first, and the others are OpenHarmony's own.
 */
async function adaptPrograms(
  root: string,
  cache: string,
  progress: Progress,
): Promise<(name: string) => string> {
  const names = adaptedPrograms;
  const found = await Promise.all(names.map(async (name) => locate(root, name)));
  const keys = await Promise.all(found.map(fileKey));
  const folder = await makeOnce(cache, 'adapted', textKey(labLoader, ...keys), async (into) => {
    await progress.step('give dynamic programs the lab’s own loader', async () => {
      await mkdir(into, { recursive: true });
      for (const [index, source] of found.entries()) {
        const target = path.join(into, names[index] ?? '');
        await copyFile(source, target);
        if (readElf(await readFile(target)).interpreter === null) continue;
        const rpath = ['--force-rpath', '--set-rpath', path.dirname(labLoader)];
        await runCommand('patchelf', ['--set-interpreter', labLoader, ...rpath, target]);
      }
    });
  });
  return (name) => path.join(folder, name);
}

async function librariesOf(
  programs: readonly string[],
  folders: readonly string[],
): Promise<Record<string, string>> {
  const all = await Promise.all(programs.map(async (program) => findLibraries(program, folders)));
  const missing = [...new Set(all.flatMap((found) => found.missing))];
  if (missing.length > 0) {
    throw new AgentError(
      'FILE_FAILED',
      `Cannot build the board: no fetched package has ${missing.join(', ')}`,
    );
  }
  return Object.assign({}, ...all.map((found) => found.files)) as Record<string, string>;
}

async function buildInitrd(
  cache: string,
  kernel: Kernel,
  firstStage: string,
  without: readonly string[],
): Promise<string> {
  const modules = modulesToLoad(kernel.modules, kernel.builtin, without);
  const key = textKey(await fileKey(firstStage), ...modules);
  const folder = await makeOnce(cache, 'initrd', key, async (into) => {
    await mkdir(into, { recursive: true });
    const list = modules.map((name) => path.basename(name));
    const entries = mergeTrees([
      ...['/dev', '/dev/block', '/proc', '/sys', '/usr', '/vendor', '/modules'].map((name) =>
        directory(name),
      ),
      file('/first-stage', firstStage, 0o755),
      text('/modules/list', `${list.join('\n')}\n`),
      ...modules.map((name) => file(`/modules/${path.basename(name)}`, name)),
    ]);
    const devices = [
      { kind: 'device' as const, path: '/dev/console', mode: 0o600, major: 5, minor: 1 },
      { kind: 'device' as const, path: '/dev/kmsg', mode: 0o600, major: 1, minor: 11 },
    ];
    await writeFile(path.join(into, 'initrd'), await packCpio([...entries, ...devices]));
  });
  return path.join(folder, 'initrd');
}

async function buildDisk(
  cache: string,
  name: string,
  tree: readonly TreeEntry[],
  progress: Progress,
): Promise<string> {
  const keys = await Promise.all(
    tree.map(
      async (entry) => `${JSON.stringify(entry)} ${entry.kind === 'file' ? await fileKey(entry.source) : ''}`,
    ),
  );
  const folder = await makeOnce(cache, name, textKey(...keys), async (into) => {
    await progress.step(`make the ${name} partition (${tree.length} paths)`, async () => {
      await mkdir(into, { recursive: true });
      await makeExt4(path.join(into, `${name}.img`), name, tree);
    });
  });
  return path.join(folder, `${name}.img`);
}

async function buildEmptyData(cache: string, kind: 'ext4' | 'f2fs', progress: Progress): Promise<string> {
  const sizeMiB = 4096;
  const folder = await makeOnce(cache, 'userdata', textKey(kind, String(sizeMiB)), async (into) => {
    await progress.step(`make the empty ${kind} disk for /data`, async () => {
      await mkdir(into, { recursive: true });
      await makeDataDisk(path.join(into, 'userdata.img'), kind, sizeMiB);
    });
  });
  return path.join(folder, 'userdata.img');
}
