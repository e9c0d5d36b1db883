import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { exists } from './cache.ts';
import { runCommand } from './command.ts';
import { boardModules, type ModuleEntry, moduleName, parseModuleNeeds } from './modules.ts';

/** The board's kernel: its image and all modules that could be loaded. */
export interface Kernel {
  readonly version: string;
  readonly image: string;
  readonly modules: ReadonlyMap<string, ModuleEntry>;
  readonly builtin: ReadonlySet<string>;
}

/** Finds the kernel in the unpacked packages; modules that are packed are unpacked into `scratch`. */
export async function findKernel(root: string, scratch: string): Promise<Kernel> {
  const boot = await readdir(path.join(root, 'boot'));
  const image = boot.find((name) => name.startsWith('vmlinuz-'));
  if (image === undefined)
    throw new AgentError('FILE_FAILED', `Cannot find a kernel in ${root}/boot; run with --refresh`);
  const version = image.slice('vmlinuz-'.length);
  const folder = await firstFolder([`${root}/lib/modules/${version}`, `${root}/usr/lib/modules/${version}`]);
  const names = await readdir(folder, { recursive: true });
  const files = new Map(
    names.filter((name) => /\.ko(\.\w+)?$/.test(name)).map((name) => [moduleName(name), name]),
  );
  const builtinText = await readFile(path.join(folder, 'modules.builtin'), 'utf8');
  const modules = new Map<string, ModuleEntry>();
  const queue = [...boardModules];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const file = files.get(name);
    if (file === undefined || modules.has(name)) continue;
    const plain = await unpacked(path.join(folder, file), scratch);
    const needs = parseModuleNeeds(await readFile(plain));
    modules.set(name, { file: plain, needs });
    queue.push(...needs);
  }
  return {
    version,
    image: path.join(root, 'boot', image),
    modules,
    builtin: new Set(builtinText.split('\n').filter(Boolean).map(moduleName)),
  };
}

async function firstFolder(candidates: readonly string[]): Promise<string> {
  for (const candidate of candidates) if (await exists(candidate)) return candidate;
  throw new AgentError(
    'FILE_FAILED',
    `Cannot find kernel modules: none of ${candidates.join(', ')}; run with --refresh`,
  );
}

/** The kernel loads plain files only; some distributions pack them. */
async function unpacked(file: string, scratch: string): Promise<string> {
  const packer = file.endsWith('.xz') ? 'xz' : file.endsWith('.zst') ? 'zstd' : undefined;
  if (packer === undefined) return file;
  const plain = path.join(scratch, path.basename(file).replace(/\.(xz|zst)$/, ''));
  if (await exists(plain)) return plain;
  await mkdir(scratch, { recursive: true });
  const copy = path.join(scratch, path.basename(file));
  await copyFile(file, copy);
  await runCommand(packer, ['-d', '-f', '-q', copy]);
  return plain;
}
