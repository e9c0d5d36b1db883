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
parts=$home/parts/agent
ends=$home/run/ends
# init counts the ends of a service, whatever their code: at the fourth within these seconds it gives up, up to release 4.0
# for good, later for as long again (startup_init services/init/init_common_service.c CalculateCrashTime).
window=240
# An agent that said nothing for three times these seconds is looked at. In three parts, because a board that was frozen as a
# whole, as a virtual one can be, loses one of them only; it says something once a minute.
silence=100
hang=$home/state/agent-hang.log

say() {
    echo "launch: $*" >>"$log"
}

# Boot id and start time tell a living holder from another process that got its number after a power cut.
boot_id() {
    read -r id </proc/sys/kernel/random/boot_id && echo "$id"
}

# State, start time and CPU ticks of a main thread: fields 3, 22, 14 and 15 of its stat. The name in field 2 may hold blanks,
# so count behind the last ')'. A process that has ended and waits to be reaped has no namespace any more.
see() {
    read -r stat <"/proc/$1/task/$1/stat" || return 1
    set -- ${stat##*) }
    [ $# -ge 20 ] || return 1
    state=$1 started=${20} ticks=$((${12} + ${13}))
    [ "$state" != Z ]
}

start_time() {
    see "$1" && echo "$started"
}

# The record of `agentctl update agent`; a torn one counts as none.
read_record() {
    current= former= phase= base= whole=
    [ -r "$parts/record" ] || return 1
    while read -r key value; do
        case "$key" in
        current) current=$value ;;
        former) former=$value ;;
        phase) phase=$value ;;
        base) base=$value ;;
        end) whole=1 ;;
        esac
    done <"$parts/record"
    [ -n "$whole" ]
}

on_trial() {
    [ "$phase" = switching ] || [ "$phase" = watching ]
}

# Counts as init does, and waits before the start after the third end until init has forgotten the first one. An end that
# init itself asked for leaves the mark of stop.sh and counts for nobody.
await_init() {
    boot= first= count=0
    [ -r "$ends" ] && read -r boot first count <"$ends"
    read -r up rest </proc/uptime && now=${up%%.*}
    if [ "$boot" != "$(boot_id)" ] || [ -e "$home/run/stopped" ]; then
        count=0
    elif [ "$count" -eq 0 ] || [ $((now - first)) -gt "$window" ]; then
        first=$now count=1
    else
        count=$((count + 1))
    fi
    "$busybox" rm -f "$home/run/stopped"
    echo "$(boot_id) ${first:-0} $count" >"$ends"
    [ "$count" -lt 3 ] && return
    wait=$((first + window + 1 - now))
    say "the agent ended $count times within $((now - first)) s; waiting $wait s, because with one more end init would give up"
    "$busybox" sleep "$wait"
}

# A start that cannot be counted, e.g. on a full disk, would be the first one for ever.
count_start() {
    echo $((starts + 1)) >"$parts/starts.new" && "$busybox" mv "$parts/starts.new" "$parts/starts" && "$busybox" sync && return
    say "this start of $current cannot be counted"
    return 1
}

# An agent that was put in on /data wins over the image's, until the image itself brings another one. On trial it gets two
# starts to confirm itself; then the former one is started: with the end that made room these are three ends, and init
# allows no more.
choose_slot() {
    slot=$product
    fallback=
    read_record || return
    if on_trial; then
        starts=0
        [ -r "$parts/starts" ] && read -r starts <"$parts/starts"
        if [ "$starts" -ge 2 ] || ! count_start; then
            say "$current was started $starts times and did not confirm itself; starting $former"
            current=$former
            fallback=1
        else
            "$busybox" setsid "$busybox" sh "$product/launch.sh" guard $$ "$(start_time $$)" &
        fi
    fi
    # By its sum: files of an image may all carry the same date.
    image=$("$busybox" sha256sum "$product/agent.js")
    if [ -n "$image" ] && [ "$base" != "${image%% *}" ]; then
        say "the image has another agent than the one that $current was put over; starting the image's"
    elif [ -e "$parts/$current/agent.js" ]; then
        slot=$parts/$current
    fi
}

# Ends an agent on trial that neither confirmed itself nor ended in this time: $1 its pid, $2 its start time.
guard() {
    "$busybox" sleep 900
    read_record && on_trial && [ "$(start_time "$1")" = "$2" ] || exit
    say "ending $current: it runs and does not confirm itself"
    echo 2 >"$parts/starts"
    kill -9 "$1"
    exit
}

# Says for the agent that it lives, so that one that hangs before it can speak for itself is watched, too. By a grandchild: if
# nobody reads it waits alone, and no agent finds a child that it has not started. Only for the image's own agent: another one may
# be too old to speak at all, and has its guard while it is on trial.
announce() {
    [ "$slot" = "$product" ] || return
    [ -r "$record" ] && read -r boot holder start <"$record" || return
    [ "$boot" = "$(boot_id)" ] && [ -n "$start" ] && [ "$(start_time "$holder" 2>/dev/null)" = "$start" ] || return
    [ -p "/proc/$holder/fd/0" ] || return
    me="$$ $(start_time $$)"
    (echo "alive $me" >"/proc/$holder/fd/0" &)
}

run_agent() {
    choose_slot
    # One that is known to work does not wait for one that does not.
    [ -n "$fallback" ] || await_init
    runtime=$product/runtime
    [ -e "$slot/runtime/bin/node" ] && runtime=$slot/runtime
    loader=$runtime/lib/ld-linux-aarch64.so.1
    set -- "$runtime/bin/node" "$product/start.js" "$slot/agent.js" --slot "$slot"
    # The official glibc build of Node brings its own loader and libraries; a static build needs neither.
    [ -e "$loader" ] && set -- "$loader" --library-path "$runtime/lib" "$@"
    cd /
    announce
    exec "$@"
}

# A namespace lives as long as a process in it: the holder keeps it for the next agent when this one dies. It sits in a
# session of its own, so that nothing that ends the agent's group ends it too. What it reads is a pipe, as ash makes one of
# a here-document: without a name nobody can delete it, and a full disk has no say in it.
hold_and_run() {
    "$busybox" setsid "$busybox" sh "$product/launch.sh" watch <<'.' >/dev/null 2>&1 &
.
    holder=$!
    echo "$(boot_id) $holder $(start_time $holder)" >"$record.new" && "$busybox" mv "$record.new" "$record"
    run_agent
}

# The holder's life. Once a minute the agent's main thread writes `alive PID START` into the pipe, and `bye PID START` when it
# ends; the first word is said for it when it is started. After its end there is nothing to watch. Opened for writing too, the
# pipe never ends.
# Only builtins: nothing is forked at rest, and where nothing can be forked ash would end, and the namespace with it.
watch() {
    watched= since= misses=0 last=
    [ -p /proc/self/fd/0 ] || return
    while :; do
        if [ -z "$watched" ]; then
            read -r -n 64 word pid start rest || return
        elif ! read -r -n 64 -t "$silence" word pid start rest; then
            missed || return
            continue
        fi
        case "$pid$start" in
        '' | *[!0-9]*) continue ;;
        esac
        case "$word" in
        alive)
            if [ "$pid $start" != "$watched $since" ]; then
                see "$pid" && [ "$started" = "$start" ] || continue
            fi
            watched=$pid since=$start misses=0
            ;;
        bye) [ "$pid" = "$watched" ] && watched= ;;
        esac
    done
}

# Fails where no time has passed, because then the pipe cannot be read. Not killed is who may get on by itself: one in a call
# that the kernel does not let go (a flash that hangs), one whom a debugger holds, and one who wants to run and is not let.
missed() {
    read -r up rest </proc/uptime && [ "$up" != "$last" ] || return 1
    last=$up
    misses=$((misses + 1))
    if ! see "$watched" || [ "$started" != "$since" ]; then
        watched= misses=0
        return 0
    fi
    [ "$misses" -gt 1 ] || before=$ticks
    [ "$misses" -ge 3 ] || return 0
    used=$((ticks - before)) why=
    case "$state" in
    D | t) why="it is in state $state" ;;
    R) [ "$used" -ge $((silence * 10)) ] || why="it got $used ticks of CPU only" ;;
    esac
    if [ -n "$why" ]; then
        [ "$misses" -gt 3 ] || say "agent $watched says nothing for $((misses * silence)) s; waiting, because $why"
        return 0
    fi
    tell_hang "$watched" >"$hang"
    say "agent $watched says nothing for $((misses * silence)) s (state $state); killing it"
    kill -9 "$watched" || say "cannot kill $watched"
    watched= misses=0
}

# What /proc knows of a process that hangs, for the next agent to tell; ten lines at most.
tell_hang() {
    echo "silent for $((misses * silence)) s"
    echo "pid $1, state $state, $used CPU ticks in the last $(((misses - 1) * silence)) s"
    for name in wchan syscall; do
        line=
        read -r line <"/proc/$1/$name"
        echo "$name: $line"
    done
    line=
    while read -r word frame rest; do
        [ ${#line} -lt 240 ] && line="$line $frame"
    done <"/proc/$1/stack"
    echo "stack:$line"
    while read -r word rest; do
        case "$word" in
        Threads: | VmRSS: | VmSwap: | SigPnd: | SigBlk:) echo "$word $rest" ;;
        esac
    done <"/proc/$1/status"
}

export PATH=$product/bin:/system/bin:/bin
export HOME=/root
umask 022
case "$1" in
hold) hold_and_run ;;
run) run_agent ;;
watch)
    watch <>/proc/self/fd/0
    exec "$busybox" sleep 2147483647 </dev/null
    ;;
guard) guard "$2" "$3" ;;
esac

mkdir -p "$home/run" "$home/log" "$home/state"
# On a disk that takes no file the agent starts all the same; without this, exec would end the shell at its redirection.
(: >>"$log") 2>/dev/null || log=/dev/null
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
