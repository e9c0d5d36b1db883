#!/bin/sh
# First process of a pid namespace: gives dockerd a /run and cgroup v1 hierarchies of its own, runs the given program and
# reaps whatever is orphaned meanwhile. When it ends the kernel ends everything else in the namespace.
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /sys/fs/cgroup
awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups | while read -r name; do
  mkdir "/sys/fs/cgroup/$name"
  mount -t cgroup -o "$name" cgroup "/sys/fs/cgroup/$name" || rmdir "/sys/fs/cgroup/$name"
done
mkdir /sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
ip link set lo up
# A shell takes the input away from what it runs in the background.
exec 3<&0
"$@" <&3 3<&- &
wait $!
