import { SeededRandom } from './random.ts';

/** Every kind of trouble, in no order. */
export const faultKinds = [
  'kill-agent',
  'stop-agent',
  'kill-dockerd',
  'stop-dockerd',
  'kill-containerd',
  'stop-containerd',
  'kill-shim',
  'stop-shim',
  'kill-edgecore',
  'stop-edgecore',
  'spoil-state',
  'spoil-docker',
  'stale-leftovers',
  'full-disk',
  'clock-jump',
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** State files that are spoiled, absolute or below the home of the agent. */
export const stateFiles = [
  'state/units/dockerd.json',
  'state/units/edgecore.json',
  'state/dockerd-repairs.json',
  'state/agent.last-good.json',
  'state/dockerd/daemon.json',
  'state/ledger.records',
  '/etc/kubeedge/config/edgecore.yaml',
] as const;

/** Files of dockerd that a power cut ruins, below its data-root, and the name of the repair that each calls for. */
export const dockerFiles = {
  'image-names': ['image/overlay2/repositories.json', 'empty'],
  networks: ['network/files/local-kv.db', 'noise'],
  volumes: ['volumes/metadata.db', 'noise'],
  'containerd-metadata': ['containerd/daemon/io.containerd.metadata.v1.bolt/meta.db', 'noise'],
  'build-cache': ['buildkit/cache.db', 'noise'],
} as const;

export type DockerFile = keyof typeof dockerFiles;

/** One fault and everything that chance decides about it. */
export interface Fault {
  readonly kind: FaultKind;
  /** For what lasts: how long, in milliseconds. */
  readonly lastsMs: number;
  /** Path below home for spoil-state, name of a repair for spoil-docker, else empty. */
  readonly what: string;
  /** How a file is spoiled. */
  readonly how: 'empty' | 'noise' | 'torn';
  /** Seconds that the clock jumps. */
  readonly seconds: number;
}

/** Faults that come together; the next round begins when everything is well again. */
export interface Round {
  readonly faults: readonly Fault[];
  /** Milliseconds between two faults of the round. */
  readonly apartMs: number;
  /** Milliseconds of peace before. */
  readonly restMs: number;
}

/** The same file of dockerd is set aside three times a day at most, so it is ruined less often than that. */
const maxRuins = 2;
const day = 86_400;

/** Rounds without end, the same for the same seed. Every kind comes once before any comes again. */
export function* plan(seed: number): Generator<Round> {
  const random = new SeededRandom(seed);
  const ruins = new Map<DockerFile, number>();
  for (;;) {
    const deck = [...random.shuffled(faultKinds)];
    while (deck.length > 0) {
      const size = random.next() < 0.3 ? 2 : 1;
      const faults = deck.splice(0, size).map((kind) => draw(kind, random, ruins));
      yield { faults, apartMs: random.between(0, 1_500), restMs: random.between(200, 1_500) };
    }
  }
}

function draw(kind: FaultKind, random: SeededRandom, ruins: Map<DockerFile, number>): Fault {
  const lastsMs = random.between(1_500, 6_000);
  const how = random.pick(['empty', 'noise', 'torn'] as const);
  const seconds = random.pick([-30 * day, -3_600, 90, 3_600, 400 * day]);
  const file = random.pick(stateFiles);
  const ruin = random.pick(Object.keys(dockerFiles) as DockerFile[]);
  const fault = { kind, lastsMs, how, seconds, what: kind === 'spoil-state' ? file : '' };
  if (kind !== 'spoil-docker') return fault;
  const before = ruins.get(ruin) ?? 0;
  if (before >= maxRuins) return { ...fault, kind: 'kill-dockerd' };
  ruins.set(ruin, before + 1);
  return { ...fault, what: ruin };
}

/** One line for people. */
export function faultText({ kind, lastsMs, what, how, seconds }: Fault): string {
  switch (kind) {
    case 'spoil-state':
      return `${kind} ${what} (${how})`;
    case 'spoil-docker':
      return `${kind} ${what}`;
    case 'full-disk':
    case 'stop-agent':
      return `${kind} for ${lastsMs} ms`;
    case 'clock-jump':
      return `${kind} by ${seconds} s for ${lastsMs} ms`;
    default:
      return kind;
  }
}
