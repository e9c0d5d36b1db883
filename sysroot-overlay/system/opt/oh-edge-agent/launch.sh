#!/system/bin/sh
# Started by init as the service oh_edge_agent. Puts the agent into its private mount namespace and becomes it.
# OpenHarmony's toybox has neither ip nor nsenter on every variant, so our static busybox is called by its path.
# init gives no PATH and no HOME and points stdout and stderr at /dev/null (startup_init standard/init.c), hence the log file.
# Both root strategies start here: the namespace is made the same way, what it shows is the agent's work.

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

# Start time is field 22 of /proc/PID/stat; the name in field 2 may hold blanks, so count behind the last ')'. A process
# that has ended and waits to be reaped has no namespace any more.
start_time() {
    read -r stat <"/proc/$1/stat" || return 1
    set -- ${stat##*) }
    [ "$1" != Z ] && echo "${20}"
}

run_agent() {
    node=$product/runtime/bin/node
    loader=$product/runtime/lib/ld-linux-aarch64.so.1
    cd /
    # The official glibc build of Node brings its own loader and libraries; a static build needs neither.
    if [ -e "$loader" ]; then
        exec "$loader" --library-path "$product/runtime/lib" "$node" "$product/start.js" "$product/agent.js"
    fi
    exec "$node" "$product/start.js" "$product/agent.js"
}

# A namespace lives as long as a process in it: the holder keeps it for the next agent when this one dies. It sits in a
# session of its own, so that nothing that ends the agent's group ends it too.
hold_and_run() {
    "$busybox" setsid "$busybox" sleep 2147483647 </dev/null >/dev/null 2>&1 &
    holder=$!
    echo "$(boot_id) $holder $(start_time $holder)" >"$record.new" && "$busybox" mv "$record.new" "$record"
    run_agent
}

export PATH=$product/bin:/system/bin:/bin
export HOME=/root
umask 022
case "$1" in
hold) hold_and_run ;;
run) run_agent ;;
esac

mkdir -p "$home/run" "$home/log" "$home/state"
# Only what this script says lands here; the agent rotates its own log.
[ "$("$busybox" stat -c %s "$log" 2>/dev/null || echo 0)" -gt 65536 ] && : >"$log"
exec </dev/null >>"$log" 2>&1
# init's 32768 open files are too few for dockerd with many containers; units inherit what is set here.
ulimit -n 1048576 || say "cannot raise the limit of open files"

if [ -r "$record" ]; then
    read -r boot pid start <"$record"
    if [ "$boot" = "$(boot_id)" ] && [ -n "$start" ] && [ "$(start_time "$pid" 2>/dev/null)" = "$start" ]; then
        say "joining the mount namespace held by $pid"
        exec "$busybox" nsenter -t "$pid" -m "$busybox" sh "$product/launch.sh" run
    fi
fi
# Slave: disks that the system mounts later are seen by the units, mounts of the units are not seen by the system.
if "$busybox" unshare -m --propagation slave "$busybox" true; then
    say "making a private mount namespace"
    exec "$busybox" unshare -m --propagation slave "$busybox" sh "$product/launch.sh" hold
fi
# The agent still answers, and its condition Prepared says what is missing.
say "cannot make a mount namespace; the agent starts without one"
run_agent
