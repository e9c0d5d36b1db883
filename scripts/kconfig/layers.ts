import { AgentError } from '../../agent/core/agent-error.ts';
import type { ConfigFile } from '../../agent/kernel/config-text.ts';

/**
 * The layers of OpenHarmony's kernel build in merge order, last wins: openharmony/device_board_hihope
 * rk3568/kernel/build_kernel.sh, 4.0 to 7.0. 3.x has one file and no layers.
 */
const layerOrder: readonly { readonly role: string; readonly name: RegExp }[] = [
  { role: 'type/standard_defconfig', name: /(?:^|[/-])type[/-]\w+_defconfig$/ },
  { role: 'form/VARIANT_defconfig', name: /(?:^|[/-])form[/-]\w+_defconfig$/ },
  { role: 'DEVICE/arch/arm64_defconfig', name: /(?:^|[/-])arch[/-]\w+_defconfig$/ },
  { role: 'DEVICE/product/DEVICE_TYPE_defconfig', name: /(?:^|[/-])product[/-]\w+_defconfig$/ },
  { role: 'base_defconfig', name: /(?:^|[/-])base_defconfig$/ },
];

function rankOf(source: string): number {
  return layerOrder.findIndex(({ name }) => name.test(source));
}

/** Throws INPUT_INVALID where known layers stand in another order than OpenHarmony's build merges them. */
export function checkLayerOrder(files: readonly ConfigFile[]): void {
  let highest = -1;
  let highestSource = '';
  for (const { source } of files) {
    const rank = rankOf(source);
    if (rank === -1) continue;
    if (rank < highest) {
      throw new AgentError(
        'INPUT_INVALID',
        `Cannot merge "${source}" after "${highestSource}": OpenHarmony's build merges ${layerOrder.map(({ role }) => role).join(', ')}; give the files in this order`,
      );
    }
    highest = rank;
    highestSource = source;
  }
}

/** The kernel version that headers or paths of the layers tell; throws INPUT_INVALID where they tell different ones. */
export function kernelOfLayers(files: readonly ConfigFile[]): string | undefined {
  const told = new Map<string, string>();
  for (const { kernel, source } of files) {
    const version = kernel ?? /linux-(\d+\.\d+)/.exec(source)?.[1];
    if (version !== undefined && !told.has(version)) told.set(version, source);
  }
  const versions = [...told];
  if (versions.length > 1) {
    const list = versions.map(([version, source]) => `${version} in "${source}"`).join(', ');
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot merge layers of different kernels: ${list}; give layers of one kernel`,
    );
  }
  return versions[0]?.[0];
}
