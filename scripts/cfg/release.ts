import { AgentError } from '../../agent/core/agent-error.ts';

/** OpenHarmony releases in order; each has an init of its own. */
export const releases = [
  '3.1',
  '3.2',
  '4.0',
  '4.1',
  '5.0.0',
  '5.0.1',
  '5.0.2',
  '5.0.3',
  '5.1.0',
  '6.0',
  '6.1',
  '7.0',
] as const;

export type Release = (typeof releases)[number];

/** Reports whether a release has what `first` brought. */
export function isSince(release: Release, first: Release): boolean {
  return releases.indexOf(release) >= releases.indexOf(first);
}

/** Releases named on the command line: `5.0` means all 5.0.x, nothing means all. Throws USAGE for an unknown one. */
export function parseReleases(names: readonly string[] | undefined): readonly Release[] {
  if (names === undefined || names.length === 0) return releases;
  const wanted = new Set<Release>();
  for (const name of names.flatMap((value) => value.split(','))) {
    const matching = releases.filter((release) => release === name || release.startsWith(`${name}.`));
    if (name === '' || matching.length === 0) {
      throw new AgentError('USAGE', `Cannot check for release "${name}": want one of ${releases.join(', ')}`);
    }
    for (const release of matching) wanted.add(release);
  }
  return releases.filter((release) => wanted.has(release));
}

/** Releases as ranges: `all`, `3.1`, `3.2 to 4.1, 6.0 to 7.0`. */
export function rangesOf(some: readonly Release[]): string {
  if (some.length === releases.length) return 'all releases';
  const ranges: string[] = [];
  let first: Release | undefined;
  for (const [index, release] of releases.entries()) {
    if (!some.includes(release)) continue;
    first ??= release;
    const next = releases[index + 1];
    if (next !== undefined && some.includes(next)) continue;
    ranges.push(first === release ? release : `${first} to ${release}`);
    first = undefined;
  }
  return ranges.join(', ');
}
