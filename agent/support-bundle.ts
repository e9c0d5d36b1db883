import { DockerClient } from './host/docker-client.ts';
import { stampEach } from './host/line-stamper.ts';
import { HostSupportFiles } from './host/support-files.ts';
import { writeTarFile } from './host/tar-file.ts';
import { ToolRunner } from './host/tool-runner.ts';
import { readPlaces } from './places.ts';
import { collectBoard, knownSecrets, type SupportParts } from './support/collect.ts';
import { Scrubber } from './support/scrub.ts';

/** What the caller has found out already and where the bundle goes. */
export interface BundleOrder {
  /** Documents by name in the bundle; anything that JSON can hold. */
  readonly documents: Readonly<Record<string, unknown>>;
  readonly output: string;
  /** Other places than the usual ones, as arguments of the agent. */
  readonly argv?: readonly string[];
  /** Another /etc, in tests. @default '/etc' */
  readonly etc?: string;
}

/** A bundle that was written. */
export interface BundleMade {
  readonly output: string;
  readonly bytes: number;
  readonly files: readonly string[];
}

/** Writes one tar of everything that is known about this board, secrets taken out, with or without a running agent. */
export async function writeSupportBundle(order: BundleOrder, signal: AbortSignal): Promise<BundleMade> {
  const { argv = [], etc = '/etc', documents, output } = order;
  const { home, product, busybox, configFile } = readPlaces(argv);
  const files = new HostSupportFiles();
  const parts: SupportParts = {
    files,
    commands: new ToolRunner({ PATH: '/nonexistent', LC_ALL: 'C' }),
    docker: new DockerClient(dockerSocket(files, home)),
    home,
    product,
    busybox,
    configFile,
    etc,
  };
  const scrubber = new Scrubber(knownSecrets(parts));
  const told = Object.entries(documents).map(([name, value]) => ({
    name: `agent/${name}.json`,
    text: `${JSON.stringify(value, undefined, 2)}\n`,
  }));
  const entries = [...told, ...(await collectBoard(parts, signal))].map(({ name, text }) => ({
    name: `oh-edge-support/${name}`,
    // Afterwards, because what looks like a secret is partly known by where it stands in its line.
    text: name.startsWith('log/') ? stampEach(scrubber.scrub(text)) : scrubber.scrub(text),
  }));
  const bytes = await writeTarFile(output, entries);
  return { output, bytes, files: entries.map(({ name }) => name) };
}

/** The units' /run is their own: from outside their namespace its socket is reached through a process in it. */
function dockerSocket(files: HostSupportFiles, home: string): string {
  const holder = files.newest(`${home}/run/namespace`, 4_096)?.split(/\s+/)[1] ?? '';
  return /^\d+$/.test(holder) ? `/proc/${holder}/root/run/docker.sock` : '/run/docker.sock';
}
