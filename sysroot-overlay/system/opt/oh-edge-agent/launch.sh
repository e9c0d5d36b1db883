#!/system/bin/sh
# Started by init as the service oh_edge_agent. Puts the agent into its private mount namespace and becomes it.
# OpenHarmony's toybox has neither ip nor nsenter on every variant, so our static busybox is called by its path.
# init gives no PATH and no HOME and points stdout and stderr at /dev/null (startup_init standard/init.c), hence the log file.

product=/system/opt/oh-edge-agent
home=/data/oh-edge-agent
busybox=$product/bin/busybox
record=$home/run/namespace
log=$home/log/launch.log

say() {
    echo "launch: $*" >>"$log"
}

# Boot id and start time tell a living holder from another process that got its number after a power cut.
boot_id() {
    read -r id </proc/sys/kernel/random/boot_id && echo "$id"
}

# Start time is field 22 of /proc/PID/stat; the name in field 2 may hold blanks, so count behind the last ')'.
start_time() {
    read -r stat <"/proc/$1/stat" || return 1
    set -- ${stat##*) }
    echo "${20}"
}

run_agent() {
    node=$product/runtime/bin/node
    loader=$product/runtime/lib/ld-linux-aarch64.so.1
    cd /
    # The official glibc build of Node brings its own loader and libraries; a static build needs neither.
    if [ -e "$loader" ]; then
        exec "$loader" --library-path "$product/runtime/lib" "$node" "$product/agent.js"
    fi
    exec "$node" "$product/agent.js"
}

# A namespace lives as long as a process in it: the holder keeps it for the next agent when this one dies.
hold_and_run() {
    "$busybox" sleep 2147483647 </dev/null >/dev/null 2>&1 &
    holder=$!
    echo "$(boot_id) $holder $(start_time $holder)" >"$record.new" && "$busybox" mv "$record.new" "$record"
    run_agent
}

export PATH=$product/bin:/system/bin:/bin
export HOME=/root
umask 022
mkdir -p "$home/run" "$home/log" "$home/state"
# Only what this script says lands here; the agent rotates its own log.
[ "$("$busybox" stat -c %s "$log" 2>/dev/null || echo 0)" -gt 65536 ] && : >"$log"
exec </dev/null >>"$log" 2>&1

case "$1" in
hold) hold_and_run ;;
run) run_agent ;;
esac

if [ -r "$record" ]; then
    read -r boot pid start <"$record"
    if [ "$boot" = "$(boot_id)" ] && [ -n "$start" ] && [ "$(start_time "$pid" 2>/dev/null)" = "$start" ]; then
        say "joining the mount namespace held by $pid"
        exec "$busybox" nsenter -t "$pid" -m "$busybox" sh "$product/launch.sh" run
    fi
fi
say "making a private mount namespace"
exec "$busybox" unshare -m --propagation slave "$busybox" sh "$product/launch.sh" hold
