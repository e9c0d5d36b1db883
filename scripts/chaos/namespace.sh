#!/bin/sh
# Gives a chaos run folders of its own, so that nothing it writes reaches this machine: /etc is a copy, /var/lib is empty, and
# the home is a small disk of its own that can be filled. Needs mount, network and pid namespaces around it.
# Usage: namespace.sh FOLDER DISK-SIZE PROGRAM [ARGUMENT]…
set -e
folder=$1
size=$2
shift 2
mount --make-rprivate /
mount -t tmpfs -o "size=$size,mode=0755" tmpfs "$folder/home"
mount -t tmpfs -o mode=0755 tmpfs "$folder/etc"
cp -a /etc/. "$folder/etc/"
mount --bind "$folder/etc" /etc
mount -t tmpfs -o mode=0755 tmpfs /var/lib
exec sh "${0%/*}/../../test/programs/dockerd-namespace.sh" "$@"
