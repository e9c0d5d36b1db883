import { messageOf } from '../core/agent-error.ts';
import type { Commands } from '../core/commands.ts';
import type { Log } from '../core/log.ts';
import type { Programs } from '../core/program.ts';
import type { RuntimeKind } from './compatibility.ts';
import type { EdgePlaces } from './edge-places.ts';
import { findTool } from './find-tool.ts';

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

/**
 * Brings the sandbox image onto a board that reaches no registry, from an archive among the parts. The archive must name
 * the image as the runtime asks for it: containerd has its own name for it, edgecore's setting counts for docker only.
 */
export class PauseImage {
  readonly #ports: PausePorts;
  #imported: string | undefined;

  constructor(ports: PausePorts) {
    this.#ports = ports;
  }

  /** Imports the archive once for each version of the file; without an archive the registry is asked by the runtime. */
  async ensure(kind: RuntimeKind, signal: AbortSignal): Promise<void> {
    const { programs, log, places } = this.#ports;
    const facts = await programs.inspect(places.pauseArchive);
    if (facts.kind !== 'file') return;
    const key = `${kind} ${facts.fingerprint}`;
    if (this.#imported === key) return;
    try {
      signal.throwIfAborted();
      await this.#import(kind);
      this.#imported = key;
      log.info('edgecore.pause-image-imported', { archive: places.pauseArchive, kind });
    } catch (error) {
      signal.throwIfAborted();
      log.warn('edgecore.pause-image-failed', { archive: places.pauseArchive, message: messageOf(error) });
    }
  }

  async #import(kind: RuntimeKind): Promise<void> {
    const { commands, places } = this.#ports;
    const { dockerSocket, containerdSocket, pauseArchive } = places;
    const { path } = await findTool(kind === 'docker' ? 'docker' : 'ctr', this.#ports);
    const argv: readonly [string, ...string[]] =
      kind === 'docker'
        ? [path, '-H', `unix://${dockerSocket}`, 'load', '-i', pauseArchive]
        : [path, '-a', containerdSocket, '-n', 'k8s.io', 'images', 'import', pauseArchive];
    const { code, stderr } = await commands.run(argv, { timeoutMs: importMs });
    if (code !== 0) throw new Error(`${argv[0]} ended with status ${code}: ${stderr.trim().slice(0, 300)}`);
  }
}
