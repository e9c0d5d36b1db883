import { mergeConfigs, parseConfig } from '../../agent/kernel/config-text.ts';
import { checkKernel, lackingOptions } from '../../agent/kernel/kernel-check.ts';
import { defaultFeatures } from '../../agent/kernel/kernel-option.ts';
import type { HdcBoard } from './hdc.ts';
import { places } from './places.ts';

/** What a board is before anything is done to it. */
export interface BoardLook {
  readonly release: string;
  readonly kernel: string;
  /** Slot in use, or null on a board without one. */
  readonly active: string | null;
  /** Everything that forbids going on. */
  readonly problems: readonly string[];
  /** What will be missing later, for a person to know. */
  readonly notes: readonly string[];
}

const question = [
  'echo uid=$(id -u)',
  'echo arch=$(uname -m)',
  'echo kernel=$(uname -r)',
  'echo release=$(param get const.ohos.fullname 2>/dev/null)',
  'echo room=$(df -k /data | tail -n 1 | sed "s/  */ /g" | cut -d " " -f 4)',
  `echo active=$(readlink ${places.active})`,
  `if [ -d ${places.product} ] && [ ! -L ${places.product} ]; then echo image=yes; fi`,
].join('; ');

/** Looks at the board; `neededBytes` is what a new slot takes while it is made. */
export async function lookAtBoard(board: HdcBoard, neededBytes: number): Promise<BoardLook> {
  const facts = readFacts(await board.must('look at the board', question));
  const kernel = facts['kernel'] ?? '';
  const problems: string[] = [];
  if (facts['uid'] !== '0') problems.push('the shell is not root; take a root variant image, or hdc smode');
  if (facts['arch'] !== 'aarch64') problems.push(`the kernel is ${facts['arch']}, want aarch64`);
  if (facts['image'] === 'yes')
    problems.push(`${places.product} is part of the image; build a new image instead`);
  const room = Number(facts['room']) * 1024;
  if (!(room >= neededBytes)) {
    problems.push(`/data has ${Math.floor(room / 1e6)} MB free, want ${Math.ceil(neededBytes / 1e6)} MB`);
  }
  const active = /\/slots\/([0-9a-f]+)\//.exec(facts['active'] ?? '')?.[1] ?? null;
  const release = facts['release'] || 'unknown release';
  return { release, kernel, active, problems, notes: await kernelNotes(board, kernel) };
}

function readFacts(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value.trim()]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** Required kernel options that are off: the agent starts without them and says so, so they only are notes. */
async function kernelNotes(board: HdcBoard, release: string): Promise<string[]> {
  const { code, out } = await board.shell('gzip -dc </proc/config.gz | grep CONFIG_');
  const version = /^\d+\.\d+/.exec(release)?.[0];
  if (code !== 0 || version === undefined)
    return ['the kernel does not tell its configuration; run agentctl doctor later'];
  const { config } = mergeConfigs([parseConfig(out, '/proc/config.gz')]);
  const report = checkKernel(config, { features: defaultFeatures, kernel: version, isWhole: true });
  const missing = lackingOptions(report, 'required').map(({ name }) => name);
  return missing.length === 0 ? [] : [`the kernel lacks ${missing.join(', ')}; see npm run kconfig`];
}
