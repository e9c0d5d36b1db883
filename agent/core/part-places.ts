/** Parts that can be updated on a running board; see agent/update. */
type PartFolder = 'dockerd' | 'edgecore';

/** Folder of the version of a part that was put on /data and wins over the image's; absent where there is none. */
export function currentPart(home: string, part: PartFolder): string {
  return `${home}/parts/${part}/current`;
}

/** Folder of the version before: an earlier agent may have left a process that was started from it. */
export function formerPart(home: string, part: PartFolder): string {
  return `${home}/parts/${part}/former`;
}
