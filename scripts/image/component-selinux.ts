import { componentNames } from './component-names.ts';

const { domain } = componentNames;

/** Which SELinux context the service gets. */
export type Secon = 'su' | 'own';

/** The context as the cfg names it. */
export function contextOf(secon: Secon): string {
  return secon === 'su' ? 'u:r:su:s0' : `u:r:${domain}:s0`;
}

/**
 * The own domain. init starts /system/bin/sh with our launcher, so sh_exec is the entry point. What a container engine
 * does beyond this is held off by neverallow rules of the base policy (openharmony/security_selinux_adapter
 * sepolicy/base/public/domain.te), which only the product can open; `needs` lists it.
 */
export const domainTe = `# Written by the build of oh-edge-agent; change it there.
# An own domain for the agent, dockerd and edgecore.
type ${domain}, native_system_domain, domain;
type ${domain}_data_file, file_attr, data_file_attr;

# init starts the launcher through the shell.
allow init ${domain}:process { rlimitinh siginh transition };
allow ${domain} sh_exec:file { entrypoint execute execute_no_trans map open read getattr };

# The product's own programs and texts.
allow ${domain} system_file:dir { search open read getattr };
allow ${domain} system_file:file { execute execute_no_trans map open read getattr };
allow ${domain} system_bin_file:file { execute execute_no_trans map open read getattr };

# Its home on /data.
allow ${domain} data_file:dir { search getattr };
allow ${domain} ${domain}_data_file:dir { create add_name remove_name search open read write getattr setattr rename reparent rmdir };
allow ${domain} ${domain}_data_file:file { create open read write append getattr setattr unlink rename lock map link };
allow ${domain} ${domain}_data_file:sock_file { create getattr setattr unlink write };
allow ${domain} ${domain}_data_file:fifo_file { create open read write getattr setattr unlink };
allow ${domain} ${domain}_data_file:lnk_file { create read getattr setattr unlink };

# Talking to the network and to itself.
allow ${domain} self:tcp_socket { create bind connect listen accept read write getattr setattr getopt setopt shutdown };
allow ${domain} self:udp_socket { create bind connect read write getattr setattr getopt setopt };
allow ${domain} self:unix_stream_socket { create bind connect connectto listen accept read write getattr setattr getopt setopt shutdown };
allow ${domain} self:netlink_route_socket { create bind read write nlmsg_read nlmsg_write getattr setopt getopt };
allow ${domain} self:capability { chown fowner fsetid kill net_admin net_bind_service net_raw setgid setuid sys_resource };

# On a root variant image everything else is allowed and logged, so that the log shows what a product has to decide on.
# scripts/selinux_check of the adapter wants ${domain} in its list of permissive domains for that.
debug_only(\`
    permissive ${domain};
')
`;

/** Labels of the part's paths. */
export const fileContexts = `# Written by the build of oh-edge-agent; change it there.
/data/oh-edge-agent(/.*)?    u:object_r:${domain}_data_file:s0
`;

/** What an enforcing product has to decide on itself, because the base policy forbids it to everybody not listed. */
export const needs = `What dockerd, runc and edgecore do and the base policy forbids by neverallow
(openharmony/security_selinux_adapter sepolicy/base/public/domain.te, read in 6.0). A product that enforces has to put
the domain ${domain} into the exceptions of these rules in its own fork, or leave the image permissive:

  capability sys_admin mknod setpcap sys_chroot dac_override   rgm_violator_* attributes
  capability setfcap                                           denied to every domain
  filesystem mount, unmount, remount; dir mounton              a short list of domains (init, storage_daemon, appspawn)
  dir mounton on proc                                          denied
  file execute on data files (programs inside containers)      only labelled exec types

Containers get no domain of their own: dockerd runs with selinux-enabled=false, because no container policy exists.
`;
