import { messageOf } from '../core/agent-error.ts';
import type { Commands } from '../core/commands.ts';
import type { Log } from '../core/log.ts';
import type { Programs } from '../core/program.ts';
import type { EdgePlaces } from './edge-places.ts';
import { findTool } from './find-tool.ts';
import type { NodeRecord } from './node-record.ts';
import { needsManagedCri } from './runtime-choice.ts';

/** What the image is brought in with. */
export interface PausePorts {
  readonly commands: Commands;
  readonly programs: Programs;
  readonly log: Log;
  readonly places: EdgePlaces;
  /** Environment of the units; programs are looked for in its PATH. */
  readonly env: () => Readonly<Record<string, string>>;
}

/** Unpacking onto a slow flash takes its time; in milliseconds. */
const importMs = 120_000;
const toolMs = 30_000;

/** Where the image must be, and under which name it is asked for. */
export interface PauseWishes {
  readonly runtime: NodeRecord['runtime'];
  /** Sandbox image of edgecore.yaml; counts for docker only. */
  readonly sandboxImage: string | undefined;
}

/**
 * Brings the sandbox image onto a board that reaches no registry, from an archive among the parts, and gives it the name
 * that the runtime asks for: with CRI that is the name in the configuration of containerd and not the one in edgecore's.
 */
export class PauseImage {
  readonly #ports: PausePorts;
  #imported: string | undefined;

  constructor(ports: PausePorts) {
    this.#ports = ports;
  }

  /** Imports the archive once for each version of the file; without an archive the registry is asked by the runtime. */
  async ensure(wishes: PauseWishes, signal: AbortSignal): Promise<void> {
    const { programs, log, places } = this.#ports;
    const { runtime, sandboxImage = '' } = wishes;
    const facts = await programs.inspect(places.pauseArchive);
    const isOurs = runtime.kind === 'docker' || needsManagedCri(runtime, places);
    if (facts.kind !== 'file' || !isOurs) return;
    const key = `${runtime.kind} ${sandboxImage} ${facts.fingerprint}`;
    if (this.#imported === key) return;
    try {
      signal.throwIfAborted();
      const name =
        runtime.kind === 'docker' ? await this.#intoDocker(sandboxImage) : await this.#intoContainerd();
      this.#imported = key;
      log.info('edgecore.pause-image-imported', { archive: places.pauseArchive, name });
    } catch (error) {
      signal.throwIfAborted();
      log.warn('edgecore.pause-image-failed', { archive: places.pauseArchive, message: messageOf(error) });
    }
  }

  async #intoDocker(wanted: string): Promise<string> {
    const { dockerSocket, pauseArchive } = this.#ports.places;
    const docker = (...args: readonly string[]): Promise<string> =>
      this.#run('docker', ['-H', `unix://${dockerSocket}`, ...args]);
    const said = await docker('load', '-i', pauseArchive);
    const [name] = namesIn(said, /^Loaded image: (\S+)/gm);
    if (name !== undefined && wanted !== '' && name !== wanted) await docker('tag', name, wanted);
    return wanted === '' ? (name ?? '') : wanted;
  }

  async #intoContainerd(): Promise<string> {
    const { containerdSocket, pauseArchive } = this.#ports.places;
    const images = (...args: readonly string[]): Promise<string> =>
      this.#run('ctr', ['-a', containerdSocket, '-n', 'k8s.io', 'images', ...args]);
    const names = namesIn(await images('import', pauseArchive), /^unpacking (\S+)/gm);
    const [wanted = ''] = namesIn(await this.#run('containerd', ['config', 'default']), sandboxSetting);
    const [name] = names;
    if (name !== undefined && wanted !== '' && !names.includes(wanted))
      await images('tag', '--force', name, wanted);
    return wanted;
  }

  async #run(tool: string, args: readonly string[]): Promise<string> {
    const { path } = await findTool(tool, this.#ports);
    const timeoutMs = args.includes('import') || args.includes('load') ? importMs : toolMs;
    const { code, stdout, stderr } = await this.#ports.commands.run([path, ...args], { timeoutMs });
    if (code !== 0) throw new Error(`${path} ended with status ${code}: ${stderr.trim().slice(0, 300)}`);
    return stdout;
  }
}

/** `sandbox_image` up to containerd 1.7, `sandbox` of the pinned images from 2.0 on. */
const sandboxSetting = /^\s*sandbox(?:_image)?\s*=\s*["']([^"']+)["']/gm;

function namesIn(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}
