/** System calls, namespaces, security and what the agent itself stands on. The columns are told in option-table.ts. */
export const baseOptions = `
MULTIUSER ; - ; default=y ; kconfig ; every process is root and NAMESPACES is dropped
NAMESPACES ; agent! docker! ; parents=MULTIUSER default=y ; moby ; no container starts: clone answers EINVAL
NET_NS ; docker! ; parents=NAMESPACES,NET default=y ; moby ; containers cannot have a network of their own
PID_NS ; docker! ; parents=NAMESPACES default=y ; moby ; no container starts
IPC_NS ; docker! ; parents=NAMESPACES,SYSVIPC|POSIX_MQUEUE default=y ; moby ; no container starts
UTS_NS ; docker! ; parents=NAMESPACES default=y ; moby ; no container starts
USER_NS ; docker? ; parents=NAMESPACES ; moby ; no --userns-remap and no rootless docker
SYSVIPC ; docker+ ; - ; project ; programs with System V shared memory (PostgreSQL) fail in containers
POSIX_MQUEUE ; docker! ; parents=NET ; moby-oci ; every container fails to start: error mounting "mqueue" to rootfs at "/dev/mqueue": no such device
KEYS ; docker! ; - ; moby ; runc cannot create a session keyring for a container
SECCOMP ; docker+ ; default=y ; moby ; containers run without the system call filter
SECCOMP_FILTER ; docker+ ; parents=SECCOMP,NET default=y ; moby ; containers run without the system call filter
SECURITY ; - ; parents=SYSFS,MULTIUSER ; kconfig ; SECURITY_SELINUX and SECURITY_APPARMOR are dropped
SECURITY_NETWORK ; - ; parents=SECURITY,NET by=SECURITY_APPARMOR ; kconfig ; SECURITY_SELINUX is dropped
SECURITY_SELINUX ; docker? ; parents=SECURITY_NETWORK,AUDIT,INET ; moby ; no SELinux labels for containers; OpenHarmony itself needs it
SECURITY_APPARMOR ; docker? ; parents=SECURITY,NET ; moby ; no AppArmor profile for containers
AUDIT ; - ; parents=NET by=SECURITY_APPARMOR ; kconfig ; SECURITY_SELINUX is dropped
NET ; agent! ; - ; kconfig ; no network at all
INET ; agent! ; parents=NET ; kconfig ; no TCP/IP
UNIX ; agent! ; parents=NET ; project ; no control sockets: agent, dockerd and containerd cannot be reached
PROC_FS ; agent! ; default=y ; project ; no /proc
SYSFS ; agent! ; default=y ; project ; no /sys
TMPFS ; agent! ; - ; project ; no writable /run and no /dev/shm for containers
EPOLL ; agent! ; default=y ; go ; neither Node nor a Go program starts
EVENTFD ; agent! ; by=MEMCG default=y ; go ; Node does not start; no memory events
FUTEX ; agent! ; default=y ; go ; neither Node nor a Go program starts
TIMERFD ; agent+ ; default=y ; go ; timers of some container programs fail
INOTIFY_USER ; edgecore! ; default=y ; kubelet ; edgecore cannot watch static pods and its configuration
FILE_LOCKING ; docker! ; default=y ; project ; containerd and dockerd cannot lock their bolt databases and end at start
FHANDLE ; overlay2+ ; default=y ; kconfig ; overlay2 falls back to slower lookups; some storage programs fail
UNIX98_PTYS ; docker! ; default=y ; moby-oci ; docker run -t and kubectl exec -t fail
DEVPTS_MULTIPLE_INSTANCES ; docker! ; until=4.8 ; moby ; containers share the terminals of the board
IKCONFIG ; agent+ ; module ; project ; the board cannot say how its kernel was configured
IKCONFIG_PROC ; agent+ ; parents=IKCONFIG,PROC_FS ; project ; no /proc/config.gz: doctor has to probe instead of read
MODULES ; - ; - ; kconfig ; no loadable modules: every option must be y
MODULE_SIG_FORCE ; - ; want=n parents=MODULES ; openharmony ; when it is y, as OpenHarmony sets it from 4.0 on, only modules signed by the same kernel build load, and the image carries none: every needed option must be y
ANDROID_PARANOID_NETWORK ; docker+ ; want=n ; project ; when it is y, processes outside group 3003 get EACCES from socket(), also inside containers
IP_ADVANCED_ROUTER ; - ; parents=INET ; kconfig ; IP_MULTIPLE_TABLES is dropped
IP_MULTIPLE_TABLES ; agent! ; parents=IP_ADVANCED_ROUTER ; project ; no policy rules: containers find no way out past OpenHarmony's routing tables
`;
