import { AgentError } from '../core/agent-error.ts';
import type { IntakeFile } from '../core/part-intake.ts';

/** What can be updated on a running board. */
export type PartName = 'dockerd' | 'edgecore' | 'agent';

/** What a file of a part has to be. */
export type FileRule = 'program' | 'library' | 'script' | 'text';

/** One kind of part. */
export interface PartKind {
  readonly name: PartName;
  /** The file that gives the part its name and its version. */
  readonly main: string;
  /** Units that run programs of the part, in the order in which they go over to new ones; those that nobody supervises are passed over. */
  readonly units: readonly string[];
  /** Files that an archive must hold. A single file replaces `main` only. */
  readonly needed: readonly string[];
  /** What becomes of an archive's file; undefined passes it over. */
  readonly wanted: (name: string) => IntakeFile | undefined;
  /** What a file of the part has to be, by its place in the folder. */
  readonly ruleOf: (to: string) => FileRule;
  /** Programs that print their version and end; every other one is never run for it. */
  readonly prints: readonly string[];
  /** Where the version is recorded inside `main`: its first group. */
  readonly recorded?: RegExp;
  /** File of the archive that says the version; made where it is missing and the version is known, for whoever reads it later. */
  readonly versionFile?: string;
  /** Reports whether links of an archive are passed over; otherwise an archive with a link is refused. */
  readonly mayHoldLinks: boolean;
  /** What a file that was handed in should be, for messages. */
  readonly what: string;
}

const programMode = 0o755;
const textMode = 0o644;

const dockerPrograms = [
  'dockerd',
  'containerd',
  'containerd-shim-runc-v2',
  'runc',
  'docker-init',
  'docker-proxy',
  'docker',
  'ctr',
];

const dockerd: PartKind = {
  name: 'dockerd',
  main: 'dockerd',
  units: ['containerd', 'dockerd'],
  needed: ['dockerd', 'containerd', 'containerd-shim-runc-v2', 'runc'],
  wanted: (name) => {
    const base = baseOf(name);
    return dockerPrograms.includes(base) ? { to: base, mode: programMode } : undefined;
  },
  ruleOf: () => 'program',
  prints: ['dockerd', 'containerd', 'runc'],
  mayHoldLinks: false,
  what: "dockerd itself, or Docker's static archive docker-VERSION.tgz",
};

/**
 * From 1.12 on `edgecore --version` starts the node instead of printing (kubeedge/kubeedge edge/cmd/edgecore/app/server.go),
 * so its version is read from what the linker was told (hack/lib/golang.sh, gitVersion), or is given by hand.
 */
const edgecore: PartKind = {
  name: 'edgecore',
  main: 'edgecore',
  units: ['edgecore'],
  needed: ['edgecore'],
  wanted: (name) => {
    const base = baseOf(name);
    if (base === 'edgecore') return { to: 'edgecore', mode: programMode };
    return base === 'version' ? { to: 'version', mode: textMode } : undefined;
  },
  ruleOf: (to) => (to === 'version' ? 'text' : 'program'),
  prints: [],
  recorded: /version\.gitVersion=v(\d{1,3}\.\d{1,3}\.\d{1,3}[0-9A-Za-z.+-]{0,40})/,
  versionFile: 'version',
  mayHoldLinks: false,
  what: "edgecore itself, or KubeEdge's release archive",
};

const scripts = ['agent.js', 'agentctl.js'];

/** The bundles say in their first line what they are. */
const agent: PartKind = {
  name: 'agent',
  main: 'agent.js',
  units: [],
  needed: ['agent.js'],
  wanted: (name) => {
    const base = baseOf(name);
    if (scripts.includes(base)) return { to: base, mode: textMode };
    const runtime = /(?:^|\/)(runtime\/(?:bin\/node|lib\/[\w.+-]+))$/.exec(name)?.[1];
    return runtime === undefined ? undefined : { to: runtime, mode: programMode };
  },
  ruleOf: (to) => {
    if (scripts.includes(to)) return 'script';
    return to.startsWith('runtime/lib/') ? 'library' : 'program';
  },
  prints: [],
  recorded: /^\/\* oh-edge-agent agent (\d{1,3}\.\d{1,3}\.\d{1,3}[0-9A-Za-z.+-]{0,40}) \*\//,
  mayHoldLinks: true,
  what: 'agent.js, or an archive of the product',
};

/** All kinds of parts. */
export const partKinds: Readonly<Record<PartName, PartKind>> = { dockerd, edgecore, agent };

/** Reports whether a word names a part. */
export function isPartName(word: string): word is PartName {
  return Object.hasOwn(partKinds, word);
}

function baseOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** Nobody would start an agent again that was started by hand: then `launched`, the slot that launch.sh chose, is undefined. */
export function requireLauncher({ name }: PartKind, launched: string | undefined): void {
  if (name !== 'agent' || launched !== undefined) return;
  throw new AgentError(
    'PART_REFUSED',
    'Cannot change the agent: it was not started by launch.sh, so nobody would start the new one',
  );
}
