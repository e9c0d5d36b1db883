/** Control groups of both versions. The columns are told in option-table.ts. */
export const cgroupOptions = `
CGROUPS ; docker! cgroup-v1! cgroup-v2! ; - ; moby ; dockerd does not start: Devices cgroup isn't mounted
CGROUP_DEVICE ; cgroup-v1! ; parents=CGROUPS ; moby ; dockerd does not start: Devices cgroup isn't mounted
CGROUP_SCHED ; docker! edgecore! cgroup-v2! ; parents=CGROUPS ; kubelet ; no CPU shares; edgecore ends: Following Cgroup subsystem not mounted: [cpu]
FAIR_GROUP_SCHED ; docker+ edgecore+ ; parents=CGROUP_SCHED default=y ; moby ; CPU shares and requests have no effect
CFS_BANDWIDTH ; docker+ edgecore+ ; parents=FAIR_GROUP_SCHED ; moby ; docker run --cpus fails: NanoCPUs can not be set; pods with a CPU limit do not start
RT_GROUP_SCHED ; docker+ ; want=n parents=CGROUP_SCHED ; kconfig ; when it is y, real-time threads of the system and of containers are refused in any group without an own budget
CGROUP_CPUACCT ; docker! edgecore! ; parents=CGROUPS ; kubelet ; edgecore ends: Following Cgroup subsystem not mounted: [cpuacct]
CPUSETS ; docker! edgecore! cgroup-v2! ; parents=CGROUPS ; kubelet ; edgecore ends: Following Cgroup subsystem not mounted: [cpuset]
MEMCG ; docker! edgecore! cgroup-v2! ; parents=CGROUPS ; kubelet ; memory limits are dropped; edgecore ends: Following Cgroup subsystem not mounted: [memory]
CGROUP_FREEZER ; docker! ; parents=CGROUPS ; moby ; docker pause fails and killing a container can miss processes
CGROUP_PIDS ; docker! edgecore! cgroup-v2! ; parents=CGROUPS ; moby ; PIDs limit discarded: one container that forks without end takes the whole board
BPF_SYSCALL ; cgroup-v2! ; - ; kconfig ; CGROUP_BPF is dropped
CGROUP_BPF ; cgroup-v2! docker+ ; parents=CGROUPS,BPF_SYSCALL since=4.15 ; moby ; no device rules on cgroup v2: runc cannot start a container there
BLOCK ; - ; default=y ; kconfig ; no disks at all
BLK_CGROUP ; docker? cgroup-v2! ; parents=CGROUPS,BLOCK ; moby ; no disk weights and limits; no io controller on cgroup v2
BLK_DEV_THROTTLING ; docker? ; parents=BLK_CGROUP ; moby ; no --device-read-bps and the like
PERF_EVENTS ; - ; - ; kconfig ; CGROUP_PERF is dropped
CGROUP_PERF ; docker? ; parents=CGROUPS,PERF_EVENTS ; moby ; perf cannot be bound to a container
HUGETLBFS ; - ; - ; kconfig ; CGROUP_HUGETLB is dropped
CGROUP_HUGETLB ; docker? ; parents=CGROUPS,HUGETLBFS ; moby ; no limits on huge pages
NET_SCHED ; - ; parents=NET ; kconfig ; no traffic control; NET_CLS_CGROUP is dropped
NET_CLS_CGROUP ; docker? ; parents=CGROUPS,NET_SCHED module ; moby ; container traffic cannot be classified
CGROUP_NET_PRIO ; docker? ; parents=CGROUPS,NET since=3.14 ; moby ; no network priorities per container
NETPRIO_CGROUP ; docker? ; parents=CGROUPS module until=3.14 ; moby ; no network priorities per container
MEMCG_SWAP ; docker? ; parents=MEMCG until=5.8 ; moby ; no swap limits
MEMCG_SWAP_ENABLED ; docker? ; parents=MEMCG_SWAP until=5.8 ; moby ; swap limits need the boot argument swapaccount=1
MEMCG_KMEM ; docker? ; parents=MEMCG until=4.6 ; moby ; kernel memory of containers is not counted
RESOURCE_COUNTERS ; docker? ; until=3.19 ; moby ; MEMCG is dropped
IOSCHED_CFQ ; docker? ; module until=5.0 ; moby ; no disk weights
CFQ_GROUP_IOSCHED ; docker? ; parents=IOSCHED_CFQ,BLK_CGROUP until=5.0 ; moby ; no disk weights
PSI ; cgroup-v2? ; - ; project ; no pressure figures
`;
