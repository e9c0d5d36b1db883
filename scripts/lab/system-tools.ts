/**
 * The names that OpenHarmony links to toybox on rk3568 (openharmony/third_party_toybox BUILD.gn, base list of 6.0) as far
 * as Debian's toybox has them. What is not here is not on the board: no ip, tc, modprobe, awk, tr, expr, route, wget.
 */
export const toyboxLinks: readonly string[] = `
  base64 basename blockdev cal cat chgrp chmod chown chroot chrt chvt cksum clear cmp comm count cp cpio crc32 cut date
  devmem df dirname dmesg dnsdomainname dos2unix du echo egrep eject env expand factor fallocate false fgrep file find
  flock fmt free freeramdisk fsfreeze fstype fsync ftpget ftpput getconf grep groups gunzip head help hexedit hostname
  hwclock i2cdetect i2cdump i2cget i2cset iconv id ifconfig inotifyd insmod install ionice iorenice iotop kill killall
  killall5 link ln logger login logname losetup ls lsattr lsmod lspci lsusb makedevs mcookie md5sum microcom mix mkdir
  mkfifo mknod mkpasswd mkswap mktemp modinfo mount mountpoint mv nbd-client netcat netstat nice nl nohup nproc nsenter
  od oneit partprobe passwd paste patch pgrep pidof ping ping6 pivot_root pkill pmap printenv printf prlimit ps pwd
  pwdx readahead readlink realpath renice reset rev rfkill rm rmdir rmmod sed seq setfattr setsid sha1sum sha224sum
  sha256sum shred sleep sntp sort split stat strings swapoff swapon switch_root sync sysctl tac tail tar taskset tee
  test time timeout top touch true truncate tty tunctl umount uname uniq unix2dos unlink unshare uptime usleep uudecode
  uuencode uuidgen vconfig vmstat w watch wc which who whoami xargs xxd yes zcat`
  .trim()
  .split(/\s+/);

/** Tools of OpenHarmony's toybox that Debian's build lacks; busybox stands in. */
export const busyboxLinks: readonly string[] = ['dd', 'gzip', 'more'];

/** Names under which init's helper is called (begetctl on a board). */
export const controlLinks: readonly string[] = ['param', 'service_control', 'reboot'];

/** Names of the legacy iptables tools (openharmony/third_party_iptables BUILD.gn, 6.0). */
export const iptablesLinks: readonly string[] = ['iptables', 'ip6tables'].flatMap((name) => [
  name,
  `${name}-save`,
  `${name}-restore`,
]);
