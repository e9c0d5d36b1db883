#!/bin/sh
# A stand-in for adb; it is neither adb nor a board. It has the board of hdc.sh behind it and adb's manners: the exit
# status of a command is adb's own, boards are listed with their state, and an address is listed once it is connected.
# Usage: adb.sh BOARD-FOLDER devices | connect IP:PORT | [-s KEY] shell COMMAND | [-s KEY] push LOCAL REMOTE | [-s KEY] reboot

board=$1
shift
[ "$1" = -s ] && shift 2

run() {
    PATH=/system/bin /usr/sbin/chroot "$board" /system/bin/sh -c ". /functions
$1"
}

case "$1" in
devices)
    echo 'List of devices attached'
    printf 'STANDIN\tdevice\nOTHER\toffline\n'
    [ -e "$board/connected" ] && printf '%s\tdevice\n' "$(cat "$board/connected")"
    echo
    ;;
connect)
    echo "$2" >"$board/connected"
    echo "connected to $2"
    ;;
shell) run "$2" ;;
push)
    cp "$2" "$board$3" || exit 1
    echo "$2: 1 file pushed, 0 skipped. 1.0 MB/s (1 bytes in 0.001s)"
    ;;
reboot)
    sh "$(dirname "$0")/hdc.sh" "$board" target boot
    ;;
*)
    echo "adb: unknown command $1" >&2
    exit 1
    ;;
esac
