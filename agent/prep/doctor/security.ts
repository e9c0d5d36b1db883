import type { Finding } from '../../api/wire.ts';
import type { ObservedGround } from '../../core/ground-observed.ts';
import type { GroundProbes } from '../../core/ground-probes.ts';
import { fine, found } from './finding.ts';

/** SECBIT_KEEP_CAPS_LOCKED of linux/securebits.h. */
const keepCapsLocked = 1 << 5;
/** Where init reads the service from (startup_init services/init/init_config.c). */
export const initFile = '/system/etc/init/oh_edge_agent.cfg';
const wantedFiles = 65_536;

/** What the kernel and the system let this process do. */
export async function checkSecurity(
  observed: ObservedGround,
  probes: GroundProbes,
): Promise<readonly Finding[]> {
  return [
    await checkKeepCaps(probes),
    checkSelinux(observed),
    checkFiles(observed),
    ...checkInitFile(observed),
  ];
}

/** OpenHarmony 5.0.1 and later lock keep-caps for every service (startup_init init_adapter.c KeepCapability). */
async function checkKeepCaps(probes: GroundProbes): Promise<Finding> {
  const title = 'Containers may set their capabilities';
  const bits = await probes.securebits();
  if (bits === undefined) return fine('security.keep-caps', title, 'cannot be asked on this machine');
  if ((bits & keepCapsLocked) === 0)
    return fine('security.keep-caps', title, `securebits 0x${bits.toString(16)}`);
  return found('security.keep-caps', title, {
    severity: 'error',
    seen: `securebits 0x${bits.toString(16)}: init locked keep-caps for this service`,
    wanted: 'SECBIT_KEEP_CAPS_LOCKED not set',
    why: 'Every container fails to start with "unable to set keep caps: operation not permitted", while docker works from an hdc shell',
    fix: `put the line "setuid": true, into the service oh_edge_agent of ${initFile} and reboot`,
  });
}

function checkSelinux(observed: ObservedGround): Finding {
  const title = 'SELinux does not stand in the way';
  const { selinux } = observed;
  if (selinux === undefined) return fine('security.selinux', title, 'no SELinux');
  const seen = `${selinux.isEnforcing ? 'enforcing' : 'permissive'}, domain ${selinux.domain}`;
  const isFree = !selinux.isEnforcing || selinux.domain.includes(':su:');
  if (isFree) return fine('security.selinux', title, seen);
  return found('security.selinux', title, {
    severity: selinux.domain.includes('limit_domain') ? 'error' : 'warning',
    seen,
    wanted: 'a domain whose policy allows mounts, namespaces and container files, or permissive mode',
    why: 'The base policy forbids mount, sys_admin and executing files of /data to every ordinary domain: EACCES at each step',
    fix: 'on a root build set "secon": "u:r:su:s0" in the init cfg; on a user build add a policy of your own (sepolicy/base/public/domain.te)',
  });
}

function checkFiles(observed: ObservedGround): Finding {
  const title = 'Enough files may be open';
  const { soft, hard } = observed.openFiles;
  const seen = `${soft} now, at most ${hard}`;
  if (hard >= wantedFiles) return fine('limits.open-files', title, seen);
  return found('limits.open-files', title, {
    severity: 'info',
    seen,
    wanted: `at least ${wantedFiles}`,
    why: 'dockerd with many containers fails with "too many open files"',
    fix: 'raise it in a job of the init cfg: "setrlimit RLIMIT_NOFILE 1048576 1048576"',
  });
}

/** Only where the file is: on an ordinary Linux another init starts the agent. */
function checkInitFile(observed: ObservedGround): readonly Finding[] {
  const title = 'init starts the agent as it must';
  const text = observed.paths[initFile]?.text;
  if (text === undefined) return [];
  // The cfg for 3.1, whose init refuses a service with these keys and has no syncexec.
  if (text.includes('"exec /') && !text.includes('syncexec')) return [fine('init.cfg', title, initFile)];
  const missing = [
    [/"setuid"\s*:\s*true/, '"setuid": true'],
    [/"sandbox"\s*:\s*0/, '"sandbox": 0'],
  ].flatMap(([pattern, words]) => ((pattern as RegExp).test(text) ? [] : [words as string]));
  if (missing.length === 0) return [fine('init.cfg', title, initFile)];
  return [
    found('init.cfg', title, {
      severity: 'error',
      seen: `${initFile} lacks ${missing.join(' and ')}`,
      wanted: 'both keys',
      why: 'Without "setuid" no container starts (5.0.1 and later); without "sandbox": 0 the mounts are made where nobody else sees them',
      fix: `put ${missing.join(' and ')} into the service in ${initFile} and reboot`,
    }),
  ];
}
