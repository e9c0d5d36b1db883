import { messageOf } from '../core/agent-error.ts';
import type { Commands } from '../core/commands.ts';
import type { Files } from '../core/files.ts';
import type { ProgramFacts, Programs } from '../core/program.ts';
import { checkProgram } from '../core/program-check.ts';
import type { ProgramText } from '../core/program-text.ts';
import { withoutSecrets } from '../core/secrets.ts';
import type { UnitLogs } from '../core/unit-logs.ts';
import type { Fault } from '../core/unit-spec.ts';
import { minorOfDefaults } from './compatibility.ts';
import type { EdgePlaces } from './edge-places.ts';
import { type ParsedConfig, parseEdgecoreConfig } from './edgecore-yaml.ts';
import { parseRelease, programPattern, type Release, releaseOfLine } from './release.ts';

/** An edgecore program that can be used: its release and the configuration that it starts from. */
export interface EdgecoreProgram {
  readonly ok: true;
  readonly path: string;
  readonly release: Release;
  readonly defaults: Extract<ParsedConfig, { ok: true }>;
}

/** What the finder looks with. */
export interface FinderPorts {
  readonly programs: Programs;
  readonly commands: Commands;
  readonly files: Files;
  readonly text: ProgramText;
  readonly logs: Pick<UnitLogs, 'lines'>;
  readonly places: Pick<EdgePlaces, 'edgecorePart'>;
}

/** edgecore is a large program on a slow flash; this is for reading it once, in milliseconds. */
const printMs = 120_000;
const searchMs = 30_000;

/**
 * Finds out which release an edgecore program is without ever starting it: from 1.12 on `--version` is ignored and the
 * node starts (kubeedge/kubeedge edge/cmd/edgecore/app/server.go; pull request 6000). `--defaultconfig` prints and ends.
 */
export class ReleaseFinder {
  readonly #ports: FinderPorts;
  #known: { readonly key: string; readonly program: EdgecoreProgram } | undefined;

  constructor(ports: FinderPorts) {
    this.#ports = ports;
  }

  /**
   * Looks at the program that is used, the updated one or else the configured one; remembered until the file changes.
   * `named` is the release that the operator gives for the configured one, or gave when the board joined.
   */
  async find(
    configured: string,
    named: Release | undefined,
  ): Promise<EdgecoreProgram | { ok: false; fault: Fault }> {
    const { programs, places } = this.#ports;
    const updated = await programs.inspect(places.edgecorePart);
    if (updated.kind === 'file') return this.#look(places.edgecorePart, updated, undefined);
    return this.#look(configured, await programs.inspect(configured), named);
  }

  async #look(
    path: string,
    facts: ProgramFacts,
    named: Release | undefined,
  ): Promise<EdgecoreProgram | { ok: false; fault: Fault }> {
    const { programs } = this.#ports;
    const wrong = checkProgram(path, facts, programs.machine);
    if (wrong !== undefined) return { ok: false, fault: wrong };
    const key = `${path} ${facts.kind === 'file' ? facts.fingerprint : ''} ${named?.source ?? ''} ${named?.text ?? ''}`;
    if (this.#known?.key === key) return this.#known.program;
    const defaults = await this.#defaults(path);
    if (!defaults.ok) return { ok: false, fault: notEdgecore(path, defaults.problem) };
    const minor = minorOfDefaults(defaults.tree);
    if (minor === undefined)
      return { ok: false, fault: notEdgecore(path, 'its defaults are of no known form') };
    const release = await this.#release(path, minor, named);
    if ('reason' in release) return { ok: false, fault: release };
    const program: EdgecoreProgram = { ok: true, path, release, defaults };
    this.#known = { key, program };
    return program;
  }

  async #defaults(path: string): Promise<ParsedConfig> {
    try {
      const { code, stdout, stderr } = await this.#ports.commands.run([path, '--defaultconfig'], {
        timeoutMs: printMs,
      });
      if (code === 0) return parseEdgecoreConfig(stdout);
      const last = withoutSecrets(stderr.trim().split('\n').at(-1) ?? '').slice(0, 200);
      return { ok: false, problem: `"--defaultconfig" ended with status ${code}: ${last}` };
    } catch (error) {
      return { ok: false, problem: messageOf(error) };
    }
  }

  async #release(path: string, minor: number, named: Release | undefined): Promise<Release | Fault> {
    const found = named?.source === 'operator' ? named : await this.#tell(path, minor, named);
    if (found === undefined) return { minor, patch: undefined, text: `v1.${minor}`, source: 'defaults' };
    const isPlausible = found.minor === minor || (minor === 11 && found.minor === 10);
    if (isPlausible || found.minor > 23) return found;
    if (found.source === 'operator') {
      const message = `"${path}" is KubeEdge 1.${minor} by the configuration that it prints, and not ${found.text}; leave --kubeedge away`;
      return { reason: 'ReleaseMismatch', message, isPermanent: true };
    }
    return { minor, patch: undefined, text: `v1.${minor}`, source: 'defaults' };
  }

  /** What was named for a join may be older than the program: the image may have brought another one since. */
  async #tell(path: string, minor: number, recorded: Release | undefined): Promise<Release | undefined> {
    return (
      (await this.#fromFiles(path)) ??
      (await this.#fromText(path)) ??
      (recorded?.minor === minor ? recorded : undefined) ??
      (await this.#fromLog(minor))
    );
  }

  /** The release tarball has `version` beside `edge/edgecore`'s directory (hack/make-rules/release.sh). */
  async #fromFiles(path: string): Promise<Release | undefined> {
    const directory = path.slice(0, path.lastIndexOf('/'));
    const parent = directory.slice(0, directory.lastIndexOf('/'));
    for (const file of [`${directory}/version`, `${parent}/version`]) {
      const text = await this.#ports.files.read(file, 1024).catch(() => undefined);
      const release = text === undefined ? undefined : parseRelease(text, 'version-file');
      if (release !== undefined) return release;
    }
    return undefined;
  }

  async #fromText(path: string): Promise<Release | undefined> {
    const found = await this.#ports.text
      .find(path, programPattern, AbortSignal.timeout(searchMs))
      .catch(() => undefined);
    return found === undefined ? undefined : parseRelease(found, 'program');
  }

  /** Only a line of the same release line counts: an older one may be of the program that was there before. */
  async #fromLog(minor: number): Promise<Release | undefined> {
    let release: Release | undefined;
    const signal = AbortSignal.timeout(searchMs);
    for await (const line of this.#ports.logs.lines({ unit: 'edgecore', grep: 'Version: v1.' }, signal)) {
      const said = releaseOfLine(line.text);
      if (said?.minor === minor) release = said;
    }
    return release;
  }
}

function notEdgecore(path: string, problem: string): Fault {
  const message = `"${path}" does not behave like edgecore: ${problem}; put KubeEdge's edgecore there or correct edgecore.binary`;
  return { reason: 'NotEdgecore', message, isPermanent: true };
}
