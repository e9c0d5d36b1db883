import { isSince, type Release } from './release.ts';

/** A key of a service: from and up to which release init reads it, and whether it compares the spelling exactly. */
export interface ServiceKey {
  readonly name: string;
  readonly since: Release;
  readonly until: Release | undefined;
  readonly isExact: boolean;
}

/*
 * `NAME [!] [FIRST RELEASE [LAST RELEASE]]`, `!` where init compares the spelling exactly (GetArrayItem and
 * cJSON_GetObjectItemCaseSensitive in services/init/init_service_manager.c). 3.1 compares every key exactly.
 */
const table = `
name
path
uid
gid !
once
importance
critical
disabled
console
caps !
writepid
d-caps
apl
cpucore
socket !
file !
ondemand
jobs
start-mode
end-mode
secon
dynamic 3.1 3.1
onrestart 3.2
permission 3.2
permission_acls 3.2
notify-state 3.2
sandbox 3.2
bootevents 3.2
module-update 4.0
env ! 5.0.0
period 5.0.0
setuid 5.0.1
cgroup 5.1.0
kernel_permission ! 6.0
saspawn 6.1
`;

const keys: readonly ServiceKey[] = table
  .trim()
  .split('\n')
  .map((line) => {
    const [name = '', ...words] = line.split(' ');
    const [since = '3.1', until] = words.filter((word) => word !== '!');
    return {
      name,
      since: since as Release,
      until: until as Release | undefined,
      isExact: words.includes('!'),
    };
  });

/** The key that a spelling means, whatever its case. */
export function findKey(spelling: string): ServiceKey | undefined {
  return keys.find(({ name }) => name === spelling.toLowerCase());
}

/** Reports whether a release reads a key. */
export function isRead({ since, until }: ServiceKey, release: Release): boolean {
  return isSince(release, since) && (until === undefined || isSince(until, release));
}

/** The key whose name is nearest to a misspelled one: one letter more, less or other, or two swapped. */
export function nearestKey(spelling: string): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');
  const wanted = plain(spelling);
  return keys.map(({ name }) => name).find((name) => isNear(wanted, plain(name)));
}

function isNear(left: string, right: string): boolean {
  if (left === right) return true;
  let start = 0;
  while (start < left.length && left[start] === right[start]) start++;
  const restOfLeft = left.slice(start);
  const restOfRight = right.slice(start);
  return (
    restOfLeft.slice(1) === restOfRight ||
    restOfLeft === restOfRight.slice(1) ||
    restOfLeft.slice(1) === restOfRight.slice(1) ||
    (restOfLeft.length > 1 &&
      restOfLeft[1] === restOfRight[0] &&
      restOfLeft[0] === restOfRight[1] &&
      restOfLeft.slice(2) === restOfRight.slice(2))
  );
}
