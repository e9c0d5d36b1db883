#!/bin/sh
# A stand-in for hdc and the board behind it; it is neither. The board is a folder that commands see as their root;
# its file `functions` takes the place of programs that only a real board has.
# As the real one it exits 0 whatever happened, drops the status of commands, and says [Fail] in its output
# (openharmony/developtools_hdc src/host/main.cpp, src/daemon/daemon_unity.cpp, 6.0).
# Usage: hdc.sh BOARD-FOLDER [-t KEY] list targets | shell COMMAND | file send LOCAL REMOTE | target boot
# Shell and not JavaScript, because a deployment calls it dozens of times.

board=$1
shift
[ "$1" = -t ] && shift 2
echo "$*" | head -n 1 >>"$board/asked.log"

# Faults are counts in files; each time one strikes, its count goes down.
strikes() {
    count=$(cat "$board/faults/$1" 2>/dev/null || echo 0)
    [ "$count" -gt 0 ] && echo $((count - 1)) >"$board/faults/$1"
}

# hdc puts a command with spaces between quotation marks and escapes nothing (src/host/main.cpp); hdcd takes them off at
# both ends, up to 4.1 as many as there are (src/common/async_cmd.cpp).
unquoted() {
    line=$1
    while [ "${line#\"}" != "$line" ]; do line=${line#\"}; done
    while [ "${line%\"}" != "$line" ]; do line=${line%\"}; done
    printf '%s' "$line"
}

run() {
    if strikes shellLost; then
        echo '[Fail]ExecuteCommand need connect-key? please confirm a device by help info'
        return
    fi
    PATH=/system/bin /usr/sbin/chroot "$board" /system/bin/sh -c ". /functions
$(unquoted "\"$1\"")" 2>&1
}

send() {
    if strikes sendRefused; then
        echo '[Fail]Error opening file: no such file or directory, path:data'
        return
    fi
    cp "$1" "$board$2"
    strikes sendBent && echo bent >>"$board$2"
    echo 'FileTransfer finish, Size:1, File count = 1, time:1ms rate:1kB/s'
}

# init reads its cfg when the board starts, and only then.
boot() {
    cat /proc/sys/kernel/random/uuid >"$board/proc/sys/kernel/random/boot_id"
    rm -f "$board/running"
    [ -e "$board/system/etc/init/oh_edge_agent.cfg" ] && : >"$board/known" && : >"$board/running"
}

case "$1 $2" in
'list targets') [ -e "$board/unplugged" ] && echo '[Empty]' || echo STANDIN ;;
'target boot') boot ;;
'file send') send "$3" "$4" ;;
shell*) run "$2" ;;
*) echo '[Fail]Unknown operation command' ;;
esac
exit 0
