#!/system/bin/sh
# The on-stop job of the service: init runs it for `stop` and, inside stopAllServices, for every reboot
# (startup_init services/init/init_common_service.c ServiceStop), then kills the agent with SIGKILL.
# init waits for it, and the hardware watchdog may already be without its feeder, hence the short bound. The deadline counts from
# the start of agentctl's process, so what is between the two is for the answer alone.

product=/system/opt/oh-edge-agent
"$product/bin/busybox" timeout -s KILL 18 /system/bin/sh /system/bin/agentctl shutdown --for reboot --deadline 15s
code=$?
# The init of 3.1 cannot wait for a program, but for a file.
: >/data/oh-edge-agent/run/stopped
exit $code
