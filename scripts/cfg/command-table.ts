import { isSince, type Release } from './release.ts';

/** A command of init in one release. */
export interface Command {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** init compares the name with the space behind it, so that the name alone is another command. */
  readonly needsSpace: boolean;
}

/*
 * `NAME MIN MAX [FIRST RELEASE [LAST RELEASE]]`; a later row for the same name replaces the earlier from its release on. A name with
 * "." at its end is compared without a space. openharmony/startup_init services/init/init_common_cmds.c and
 * standard/init_cmds.c of each release.
 */
const table = `
start 0 1
mkdir 1 4
chmod 2 2
chown 3 3
mount 1 10
export 2 2
rm 1 1
rmdir 1 1
write 2 2
write 2 10 3.2
stop 1 1
termservice 1 1 6.0
reset 1 1
copy 2 2
reboot 1 1
reboot 0 1 4.0
setrlimit 3 3
sleep 1 1
wait 1 2
hostname 1 1
domainname 1 1
syncexec 1 10 3.2
exec 1 10
mknode 1 5
mknode 5 5 4.0
makedev 2 2
symlink 2 2
trigger 1 1
trigger 0 1 4.0
insmod 1 10
setparam 2 2
load_persist_params 1 1
load_persist_params 0 1 4.0
load_private_persist_params 0 1 5.0.0
load_param 1 2
load_access_token_id 1 1
load_access_token_id 0 1 4.0
ifup 1 1
mount_fstab 1 1
mount_fstab_sp 1 1 6.0
umount_fstab 1 1
remove_dm_device. 1 1 5.0.0
mount_one_fstab. 2 2 5.0.0
mount_one_fstab. 2 3 5.1.0
restorecon 1 1
restorecon 1 2 4.1
stopAllServices 0 10
umount 1 1
sync 0 1
timer_start. 1 1
timer_stop. 1 1
init_global_key 1 1
init_main_user 0 1
mkswap. 1 1
swapon. 1 1
mksandbox. 1 1 3.2
stop_feed_highdog. 0 1 5.0.1 5.0.1
stop_feed_highdog. 0 1 5.1.0
`;

/** Commands of init's own plugins by the first release; matched as a whole word, their words are their own affair. */
const plugins: readonly (readonly [since: Release, until: Release, names: string])[] = [
  ['3.1', '3.1', 'display install uninstall'],
  ['3.2', '4.0', 'clear'],
  ['3.2', '7.0', 'bootchart bootevent loadSelinuxPolicy panic reboot restoreContentRecurse setloglevel'],
  ['4.0', '7.0', 'init_trace initcmd'],
  ['4.1', '7.0', 'restoreContentRecurseForce'],
  ['5.0.0', '7.0', 'restoreContentRecurseSkipElx unset_bootevent'],
];

/** Reports whether a plugin of a release brings a command: services/modules of openharmony/startup_init. */
export function isPluginCommand(name: string, release: Release): boolean {
  return plugins.some(
    ([since, until, names]) =>
      isSince(release, since) && isSince(until, release) && names.split(' ').includes(name),
  );
}

interface Row {
  readonly command: Command;
  readonly since: Release;
  readonly until: Release;
}

const rows: readonly Row[] = table
  .trim()
  .split('\n')
  .map((line) => {
    const [word = '', min, max, since = '3.1', until = '7.0'] = line.split(' ');
    const name = word.replace(/\.$/, '');
    return {
      command: { name, min: Number(min), max: Number(max), needsSpace: word === name },
      since: since as Release,
      until: until as Release,
    };
  });

/** The commands of a release by name. */
export function commandsOf(release: Release): ReadonlyMap<string, Command> {
  const known = rows.filter(({ since, until }) => isSince(release, since) && isSince(until, release));
  return new Map(known.map(({ command }) => [command.name, command]));
}

/** The first release that knows a command. */
export function firstReleaseOf(name: string): Release | undefined {
  return rows.find(({ command }) => command.name === name)?.since;
}
