import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';

/** Where OpenHarmony keeps the kernel configuration of one device and one kernel. */
export interface ConfigTree {
  /** The folder `linux-6.6` of openharmony/kernel_linux_config. */
  readonly root: string;
  readonly kernel: string;
  /** Layers merged by the build (4.0 on) or one file (3.x). */
  readonly form: 'layers' | 'single';
  /** Existing layers below the product layer, in merge order; the single file in the single form. */
  readonly below: readonly string[];
  /** The file that a merge writes. */
  readonly target: string;
  /** Layers that win over the target. */
  readonly above: readonly string[];
}

/** Which of the files in a tree belong to the board. */
export interface ConfigTreeQuestion {
  readonly kernel?: string;
  /** @default 'rk3568' */
  readonly device: string;
  /** GN argument `device_type` of the build, `default` where the product sets none. */
  readonly product: string;
  /** GN argument `build_variant`. */
  readonly variant: string;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

async function existing(files: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of files) if (await exists(file)) found.push(file);
  return found;
}

async function linuxFolders(dir: string): Promise<readonly string[]> {
  const names = await readdir(dir).catch(() => [] as string[]);
  return names.filter((name) => /^linux-\d+\.\d+$/.test(name)).map((name) => path.join(dir, name));
}

/** The linux-X.Y folders that a source root, the configuration repository or such a folder itself offers. */
async function candidates(dir: string): Promise<readonly string[]> {
  if (/^linux-\d+\.\d+$/.test(path.basename(path.resolve(dir)))) return [path.resolve(dir)];
  const inRepository = await linuxFolders(dir);
  return inRepository.length > 0 ? inRepository : linuxFolders(path.join(dir, 'kernel/linux/config'));
}

async function chooseRoot(dir: string, question: ConfigTreeQuestion): Promise<string> {
  const folders = await candidates(dir);
  const ofDevice: string[] = [];
  for (const folder of folders) {
    const files = [singleFile(folder, question.device), archFile(folder, question.device)];
    if ((await existing(files)).length > 0) ofDevice.push(folder);
  }
  const { kernel } = question;
  const chosen =
    kernel === undefined ? ofDevice : ofDevice.filter((folder) => folder.endsWith(`linux-${kernel}`));
  const [only, ...others] = chosen;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) {
    const wanted = kernel === undefined ? 'linux-X.Y' : `linux-${kernel}`;
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot find ${wanted} with a configuration of "${question.device}" in "${dir}": name OpenHarmony's source root, kernel/linux/config or a linux-X.Y folder in it`,
    );
  }
  throw new AgentError(
    'INPUT_INVALID',
    `Cannot choose between ${chosen.map((folder) => path.basename(folder)).join(' and ')} in "${dir}": say --kernel 5.10 (the default of OpenHarmony up to 5.0.3) or --kernel 6.6 (from 5.1.0 on)`,
  );
}

function singleFile(root: string, device: string): string {
  return path.join(root, 'arch/arm64/configs', `${device}_standard_defconfig`);
}

function archFile(root: string, device: string): string {
  return path.join(root, device, 'arch/arm64_defconfig');
}

/**
 * Finds the configuration of a board by the rules of openharmony/device_board_hihope rk3568/kernel/build_kernel.sh:
 * 3.1 and 3.2 copy one file, 4.0 to 7.0 merge layers of which `<device>/product/<device_type>_defconfig` is meant for
 * the product. Throws INPUT_INVALID where there is none or more than one.
 */
export async function findConfigTree(dir: string, question: ConfigTreeQuestion): Promise<ConfigTree> {
  const root = await chooseRoot(dir, question);
  const kernel = path.basename(root).replace('linux-', '');
  const base = path.join(root, 'base_defconfig');
  const arch = archFile(root, question.device);
  if (!(await exists(base)) || !(await exists(arch))) {
    const target = singleFile(root, question.device);
    return { root, kernel, form: 'single', below: [target], target, above: [] };
  }
  const below = await existing([
    path.join(root, 'type/standard_defconfig'),
    path.join(root, 'form', `${question.variant}_defconfig`),
    arch,
  ]);
  const target = path.join(root, question.device, 'product', `${question.product}_defconfig`);
  return { root, kernel, form: 'layers', below, target, above: [base] };
}
