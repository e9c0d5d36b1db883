import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Setting } from '../../agent/kernel/config-text.ts';
import { printConfig } from '../../agent/kernel/config-text.ts';

/** What one OpenHarmony release sets of the table's options for the RK3568. */
export interface StockKernel {
  readonly release: string;
  /** Folder name of the layers where a copy is at hand. */
  readonly folder: string;
  readonly kernel: string;
  readonly layers: readonly string[];
  readonly on: readonly string[];
  readonly module: readonly string[];
  readonly off: readonly string[];
}

/** The recorded options of three releases. */
export function stockKernels(): readonly StockKernel[] {
  const data = JSON.parse(readFileSync('test/kconfig/data/stock-kernels.json', 'utf8')) as {
    readonly kernels: readonly StockKernel[];
  };
  return data.kernels;
}

/** Recorded options as defconfig text. */
export function stockText({ on, module, off }: StockKernel): string {
  return printConfig([
    ...on.map((name) => [name, 'y'] as const),
    ...module.map((name) => [name, 'm'] as const),
    ...off.map((name) => [name, 'n'] as const),
  ]);
}

/** Settings as a configuration, for tests that need no text. */
export function configOf(values: Readonly<Record<string, string>>): ReadonlyMap<string, Setting> {
  return new Map(
    Object.entries(values).map(([name, value], index) => [name, { value, source: 'test', line: index + 1 }]),
  );
}

/**
 * The folder with copies of OpenHarmony's defconfigs: OH_DEFCONFIGS, or `data/defconfigs` in a folder beside the
 * repository. Undefined where there is none: nothing third-party lies in the repository.
 */
export function defconfigsFolder(): string | undefined {
  const named = process.env['OH_DEFCONFIGS'];
  if (named !== undefined && named !== '') return named;
  const beside = readdirSync('..', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return beside
    .map(({ name }) => path.join('..', name, 'data/defconfigs'))
    .find((folder) => {
      try {
        return readdirSync(folder).some((name) => name.startsWith('oh-'));
      } catch {
        return false;
      }
    });
}
