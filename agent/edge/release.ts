/** A release of KubeEdge 1.x. */
export interface Release {
  /** Second number: 22 of 1.22.1. */
  readonly minor: number;
  /** Third number, or undefined where only the line is known. */
  readonly patch: number | undefined;
  /** As written in configuration files, e.g. `v1.22.1`, or `v1.22` where the patch is unknown. */
  readonly text: string;
  /** How it was found. */
  readonly source: ReleaseSource;
}

/** Where the knowledge of a release comes from, most trusted first. */
export type ReleaseSource = 'operator' | 'version-file' | 'program' | 'record' | 'log' | 'defaults';

/** First and last minor release whose configuration and behaviour are known here. */
export const knownMinors = { first: 10, last: 23 } as const;

/** Reads `v1.22.1`, `1.22.1`, `v1.22` or `1.22.1-beta.0`; undefined where the text is no KubeEdge 1.x release. */
export function parseRelease(text: string, source: ReleaseSource): Release | undefined {
  const match = /^v?1\.(\d{1,3})(?:\.(\d{1,3})([-+][0-9A-Za-z.+-]{1,40})?)?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, minor = '', patch, suffix = ''] = match;
  const tail = patch === undefined ? '' : `.${Number(patch)}${suffix}`;
  return {
    minor: Number(minor),
    patch: patch === undefined ? undefined : Number(patch),
    text: `v1.${Number(minor)}${tail}`,
    source,
  };
}

/** Reports whether the release is one that this agent has been written for. */
export function isKnownRelease({ minor }: Release): boolean {
  return minor >= knownMinors.first && minor <= knownMinors.last;
}

/**
 * Release in the text of an edgecore program: the linker flag that sets the version, which Go keeps in its build
 * information (kubeedge/kubeedge hack/lib/golang.sh, gitVersion).
 */
export const programPattern = /version\.gitVersion=(v1\.\d{1,3}\.\d{1,3}[0-9A-Za-z.+-]{0,40})/;

/** Release in a line of edgecore's log: it says its version once, right after it has read its configuration. */
export function releaseOfLine(line: string): Release | undefined {
  const found = /\bVersion: (v1\.\d{1,3}\.\d{1,3}[0-9A-Za-z.+-]{0,40})/.exec(line)?.[1];
  return found === undefined ? undefined : parseRelease(found, 'log');
}
