import { type Release, releases } from '../cfg/release.ts';
import { places } from './places.ts';
import type { RemoteBoard } from './remote-board.ts';

/** What a board is before anything is done to it. */
export interface BoardLook {
  /** Name as the board gives it, e.g. OpenHarmony-6.0.0.49. */
  readonly fullName: string;
  /** The release whose rules its init follows; the newest where the name says nothing. */
  readonly release: Release;
  readonly kernel: string;
  /** Slot in use, or null on a board without one. */
  readonly active: string | null;
  /** Free bytes on /data. */
  readonly roomBytes: number;
  /** Everything that forbids going on. */
  readonly problems: readonly string[];
}

const question = [
  'echo uid=$(id -u)',
  'echo arch=$(uname -m)',
  'echo kernel=$(uname -r)',
  'echo release=$(param get const.ohos.fullname 2>/dev/null)',
  'echo room=$(df -k /data | tail -n 1 | sed "s/  */ /g" | cut -d " " -f 4)',
  `echo active=$(readlink ${places.active})`,
  `if [ -d ${places.product} ] && [ ! -L ${places.product} ]; then echo image=yes; fi`,
].join('; ');

/** Looks at the board and changes nothing. */
export async function lookAtBoard(board: RemoteBoard): Promise<BoardLook> {
  const facts = readFacts(await board.must('look at the board', question));
  const kernel = facts['kernel'] ?? '';
  const problems: string[] = [];
  if (facts['uid'] !== '0') problems.push('the shell is not root; take a root variant image, or hdc smode');
  if (facts['arch'] !== 'aarch64') problems.push(`the kernel is ${facts['arch']}, want aarch64`);
  if (facts['image'] === 'yes')
    problems.push(`${places.product} is part of the image; build a new image instead`);
  const active = /\/slots\/([0-9a-f]+)\//.exec(facts['active'] ?? '')?.[1] ?? null;
  const fullName = facts['release'] || 'unknown release';
  const roomBytes = (Number(facts['room']) || 0) * 1024;
  return { fullName, release: releaseOf(fullName), kernel, active, roomBytes, problems };
}

function readFacts(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value.trim()]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** `OpenHarmony-5.0.0.71` is 5.0.0, `OpenHarmony-3.1.13.5` is 3.1: the longest name that it begins with. */
function releaseOf(fullName: string): Release {
  const version = /(\d+(?:\.\d+)+)/.exec(fullName)?.[1] ?? '';
  const known = releases.filter((release) => `${version}.`.startsWith(`${release}.`));
  const longest = [...known].sort((a, b) => b.length - a.length)[0];
  return longest ?? releases[releases.length - 1] ?? '6.0';
}
