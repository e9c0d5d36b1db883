/** What a release of cloudcore does differently on the wire; read from the sources of the tags named. */
export interface Profile {
  readonly version: string;
  /** Answers `nodepatch`, `podpatch` and `lease` (1.12 and later). */
  readonly hasNodePatch: boolean;
  /** Answers a query for an object that does not exist; before 1.13 it keeps silent and edgecore waits 60 s. */
  readonly answersMissing: boolean;
  /** Accepts core/v1 events (1.19 and later). */
  readonly hasEvents: boolean;
  /** Accepts a pod that the edge inserts (1.15 and later). */
  readonly hasPodInsert: boolean;
  /** Serves GET /node/<name> (1.20 and later). */
  readonly hasCheckNode: boolean;
  /** Writes the annotation `cloudcore` on a node that connects, and knows cloudHub.authorization (1.18 and later). */
  readonly hasAuthorization: boolean;
  /** Compares the subject of a certificate that is rotated with the node's name (1.16 and later). */
  readonly checksRotationSubject: boolean;
  /** Says why a token was refused (1.18 and later: 401); before, 400 or 401 with the same few words. */
  readonly explainsToken: boolean;
  /** Device ids are `<namespace>/<name>` (1.16 and later), before just the name. */
  readonly hasDeviceNamespace: boolean;
}

/** First minor release of KubeEdge 1.x that has the behaviour. */
const since = {
  hasNodePatch: 12,
  answersMissing: 13,
  hasEvents: 19,
  hasPodInsert: 15,
  hasCheckNode: 20,
  hasAuthorization: 18,
  checksRotationSubject: 16,
  explainsToken: 18,
  hasDeviceNamespace: 16,
} as const;

/** Behaviour of a release such as `1.12.6` or `v1.22`. */
export function profileOf(version: string): Profile {
  const minor = Number(/^v?1\.(\d+)/.exec(version)?.[1]);
  if (!Number.isInteger(minor))
    throw new Error(`Cannot choose a profile: "${version}" is no KubeEdge 1.x release`);
  const flags = Object.fromEntries(Object.entries(since).map(([name, first]) => [name, minor >= first]));
  return { version, ...(flags as Record<keyof typeof since, boolean>) };
}
