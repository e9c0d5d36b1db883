import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import type { Commands } from '../core/commands.ts';
import type { GroundExecutor } from '../core/ground.ts';
import type { GroundStep, GroundStepKind, StepOf } from '../core/ground-step.ts';
import { sysctlPath } from './ground-files.ts';
import { makeDirectories } from './make-directories.ts';
import { syncPath } from './sync-path.ts';

/** A link at the place is refused: what it leads to may belong to somebody else. */
const writeFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

type Executors = { readonly [K in GroundStepKind]: (step: StepOf<K>) => Promise<void> };

/** Does the steps: file work by itself, mounts and rules by busybox, which is called by absolute path with an argv array. */
export class HostGroundExecutor implements GroundExecutor {
  readonly #commands: Commands;
  readonly #busybox: string;

  constructor(commands: Commands, busybox: string) {
    this.#commands = commands;
    this.#busybox = busybox;
  }

  async execute(step: GroundStep, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const run = this.#table[step.kind] as (step: GroundStep) => Promise<void>;
    await run(step);
  }

  readonly #table: Executors = {
    'make-directory': (step) =>
      attempt(step, () => {
        makeDirectories(step.path);
        chmodSync(step.path, step.mode);
      }),
    'set-mode': (step) => attempt(step, () => chmodSync(step.path, step.mode)),
    'make-symlink': (step) => attempt(step, () => placeLink(step.path, step.target)),
    'write-file': (step) =>
      attempt(step, async () => {
        writeInPlace(step.path, step.text, step.mode);
        await syncPath(path.dirname(step.path));
      }),
    mount: async (step) => {
      const options = step.options.length > 0 ? ['-o', step.options.join(',')] : [];
      await this.#tool(step, ['mount', '-n', '-t', step.fstype, ...options, step.source, step.target]);
    },
    bind: async (step) => {
      await this.#tool(step, [
        'mount',
        '-n',
        '-o',
        step.isRecursive ? 'rbind' : 'bind',
        step.source,
        step.target,
      ]);
    },
    'set-propagation': async (step) => {
      await this.#tool(step, ['mount', '-n', `--make-${step.propagation}`, step.target]);
    },
    'pivot-root': async (step) => {
      await this.#tool(step, ['pivot_root', step.newRoot, step.putOld]);
    },
    unmount: async (step) => {
      await this.#tool(step, ['umount', '-n', ...(step.isLazy ? ['-l'] : []), step.target]);
    },
    'write-sysctl': (step) => attempt(step, () => writeFileSync(sysctlPath(step.name), step.value)),
    'join-cgroup': (step) => attempt(step, () => writeFileSync(step.path, String(process.pid))),
    'write-cgroup': (step) => attempt(step, () => writeFileSync(step.path, step.value)),
    'set-clock': async (step) => {
      await this.#tool(step, ['date', '-u', '-s', `@${Math.floor(step.wallMs / 1000)}`]);
    },
    'load-module': async (step) => {
      await this.#tool(step, ['modprobe', step.module]);
    },
    'add-rule': async (step) => {
      await this.#tool(step, ['ip', 'rule', 'add', 'pref', String(step.priority), ...step.words]);
    },
    'delete-rule': async (step) => {
      await this.#tool(step, ['ip', 'rule', 'del', 'pref', String(step.priority), ...step.words]);
    },
  };

  async #tool(step: GroundStep, words: readonly string[]): Promise<void> {
    const result = await this.#commands.run([this.#busybox, ...words]);
    if (result.code === 0) return;
    const said = result.stderr.trim().split('\n')[0] ?? '';
    throw new AgentError(
      'STEP_FAILED',
      `Cannot ${step.what}: busybox ${words[0]} ended with ${result.code}, "${said}"`,
    );
  }
}

async function attempt(step: GroundStep, act: () => void | Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const errno = errnoOf(error);
    throw new AgentError('STEP_FAILED', `Cannot ${step.what}: ${errno ?? messageOf(error)}`, {
      cause: error,
    });
  }
}

/** In place, because it may be a mount point; on the disk before it counts as done. */
function writeInPlace(place: string, text: string, mode: number): void {
  const descriptor = openSync(place, writeFlags, mode);
  try {
    writeFileSync(descriptor, text);
    fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Links are replaced; a directory or a file with content is never removed. */
function placeLink(path: string, target: string): void {
  const there = kindOf(path);
  if (there === 'link' && readlinkSync(path) === target) return;
  if (there === 'link') unlinkSync(path);
  if (there === 'directory') rmdirSync(path);
  symlinkSync(target, path);
}

function kindOf(path: string): 'absent' | 'link' | 'directory' | 'other' {
  try {
    const found = lstatSync(path);
    if (found.isSymbolicLink()) return 'link';
    return found.isDirectory() ? 'directory' : 'other';
  } catch {
    return 'absent';
  }
}
