import type { Finding } from '../../api/wire.ts';
import type { ObservedGround } from '../../core/ground-observed.ts';
import { hierarchyMount } from '../cgroup-plan.ts';
import type { GroundPlan } from '../plan.ts';
import { cgroupBase } from '../strategy.ts';
import { fine, found, type Outcome } from './finding.ts';

interface ControllerNeed {
  readonly severity: Outcome['severity'];
  readonly why: string;
}

/** What a user sees without each controller of v1 (moby daemon/daemon.go, pkg/sysinfo; kubelet container_manager_linux.go). */
const needs: Readonly<Record<string, ControllerNeed>> = {
  devices: { severity: 'error', why: 'dockerd ends with "Devices cgroup isn\'t mounted"' },
  memory: {
    severity: 'error',
    why: 'edgecore ends with "Following Cgroup subsystem not mounted: [memory]"; memory limits are dropped',
  },
  cpu: { severity: 'error', why: 'edgecore ends; docker run --cpus fails with "NanoCPUs can not be set"' },
  cpuacct: {
    severity: 'error',
    why: 'edgecore ends with "Following Cgroup subsystem not mounted: [cpuacct]"',
  },
  cpuset: { severity: 'error', why: 'edgecore ends with "Following Cgroup subsystem not mounted: [cpuset]"' },
  freezer: {
    severity: 'warning',
    why: 'docker pause fails, and a container that forks cannot be killed for sure',
  },
  pids: { severity: 'warning', why: 'A container can use up all process numbers of the board' },
  blkio: { severity: 'info', why: 'Limits of disk input and output are dropped' },
};

/** Files of cgroups that the checks read. */
export const cgroupTexts = [`${cgroupBase}/memory/memory.stat`, `${cgroupBase}/memory.stat`] as const;
/** Their presence tells whether cpuset files carry their prefix. */
export const cgroupPaths = [`${cgroupBase}/cpuset/cpus`, `${cgroupBase}/cpuset/cpuset.cpus`] as const;

/** File that says what cgroup2 hands down, where it is mounted; no v1 hierarchy can have these controllers (cgroups(7), EBUSY). */
export function unifiedTexts(observed: ObservedGround): readonly string[] {
  return observed.mounts
    .filter((mount) => mount.fstype === 'cgroup2')
    .slice(0, 1)
    .map((mount) => `${mount.target}/cgroup.subtree_control`);
}

/** The file by which cgroup2 holds a controller. */
function holderOf(observed: ObservedGround, name: string): string | undefined {
  return unifiedTexts(observed).find((path) =>
    observed.paths[path]?.text?.trim().split(/\s+/).includes(name),
  );
}

/** Cgroups as docker and edgecore meet them. */
export function checkCgroups(observed: ObservedGround, plan: GroundPlan): readonly Finding[] {
  const isV1 =
    plan.strategy.cgroup === 'v1' ||
    observed.mounts.some((mount) => mount.target === `${cgroupBase}/devices`);
  const rest = [checkMemoryStat(observed), ...checkPlacement(observed, plan)];
  return isV1
    ? [...checkControllers(observed), checkPrefix(observed), ...rest]
    : [checkUnified(observed), ...rest];
}

function checkControllers(observed: ObservedGround): readonly Finding[] {
  return Object.entries(needs).map(([name, { severity, why }]) => {
    const id = `cgroup.${name}`;
    const title = `The cgroup controller ${name} is where runtimes look for it`;
    const mount = hierarchyMount(observed, name);
    if (mount !== undefined) return fine(id, title, `mounted at ${mount.target}`);
    const holder = holderOf(observed, name);
    if (holder !== undefined) {
      return found(id, title, {
        severity,
        seen: `cgroup2 holds it (${holder}) while others are v1: a hybrid`,
        wanted: `mounted below ${cgroupBase}`,
        why,
        fix: `let the system take ${name} out of that file ("-${name}"), or put all controllers on cgroup2 and set prep.cgroup to v2`,
      });
    }
    const row = observed.controllers.find((one) => one.name === name);
    const elsewhere = observed.mounts.find(
      (one) => one.fstype === 'cgroup' && one.superOptions.includes(name),
    );
    const seen =
      row === undefined
        ? 'the kernel does not have it'
        : row.isEnabled
          ? `the kernel has it, ${elsewhere === undefined ? 'it is mounted nowhere' : `mounted only at ${elsewhere.target}`}`
          : 'it is switched off on the kernel command line (cgroup_disable)';
    const fix =
      row === undefined
        ? `build the kernel with the ${name} controller: see the kernel checks`
        : row.isEnabled
          ? 'agentctl apply'
          : `take cgroup_disable=${name} off the kernel command line`;
    return found(id, title, { severity, seen, wanted: `mounted below ${cgroupBase}`, why, fix });
  });
}

function checkUnified(observed: ObservedGround): Finding {
  const title = 'cgroup2 hands its controllers down';
  const offered = (observed.paths[`${cgroupBase}/cgroup.controllers`]?.text ?? '').trim();
  const missing = ['cpu', 'cpuset', 'memory', 'pids'].filter((name) => !offered.split(' ').includes(name));
  if (missing.length === 0) return fine('cgroup.unified', title, offered);
  return found('cgroup.unified', title, {
    severity: 'error',
    seen: offered === '' ? `no cgroup2 at ${cgroupBase}` : `only ${offered}`,
    wanted: `also ${missing.join(', ')}`,
    why: 'Limits are dropped and edgecore does not start; a controller in a v1 hierarchy is not available to cgroup2',
    fix: 'set prep.cgroup to v1, or keep the system from mounting v1 hierarchies',
  });
}

function checkPrefix(observed: ObservedGround): Finding {
  const title = 'cpuset files carry their prefix';
  const [bare, prefixed] = cgroupPaths;
  if ((observed.paths[bare]?.kind ?? 'absent') === 'absent') {
    const isThere = (observed.paths[prefixed]?.kind ?? 'absent') !== 'absent';
    return fine('cgroup.noprefix', title, isThere ? 'cpuset.cpus' : 'no cpuset hierarchy');
  }
  return found('cgroup.noprefix', title, {
    severity: 'warning',
    seen: 'the system mounted cpuset with noprefix: the file is called cpus',
    wanted: 'cpuset.cpus',
    why: 'runc before 1.3 fails with "open …/cpuset/docker/cpuset.cpus: no such file or directory"',
    fix: 'use docker 28.2 or later (runc 1.3 knows both names), or drop noprefix where the system mounts cpuset',
  });
}

/** Kernels of OpenHarmony write lines such as `Anon: 340432 kB` among the pairs (opencontainers/runc #3643). */
function checkMemoryStat(observed: ObservedGround): Finding {
  const title = 'memory.stat can be read by runc';
  const text = cgroupTexts.map((path) => observed.paths[path]?.text).find((one) => one !== undefined);
  if (text === undefined) return fine('cgroup.memory-stat', title, 'no memory.stat here');
  const foreign = text.split('\n').filter((line) => line !== '' && !/^\S+ \d+$/.test(line));
  if (foreign.length === 0) return fine('cgroup.memory-stat', title, 'name and number in each line');
  return found('cgroup.memory-stat', title, {
    severity: 'warning',
    seen: `${foreign.length} other lines, first: "${foreign[0]}"`,
    wanted: 'a name and a number in each line',
    why: 'runc and edgecore fail with "failed to parse memory.stat … unable to convert to uint64": no statistics, pods may not start',
    fix: 'remove the added lines from mem_cgroup show functions of the kernel (mm/memcontrol.c), or use a runc that skips them',
  });
}

function checkPlacement(observed: ObservedGround, { strategy }: GroundPlan): readonly Finding[] {
  if (strategy.cgroup === 'left-alone' || strategy.cgroup === 'none') return [];
  const title = 'The agent sits in the root group of every hierarchy';
  const away = observed.memberships.filter((row) => row.path !== '/' && row.controllers.length > 0);
  if (away.length === 0) return [fine('cgroup.placement', title, 'root groups')];
  return [
    found('cgroup.placement', title, {
      severity: 'info',
      seen: away.map((row) => `${row.controllers.join(',')} ${row.path}`).join('; '),
      wanted: '/',
      why: 'Units that start elsewhere keep edgecore NotReady: "cpu and memory cgroup hierarchy not unified"',
      fix: 'agentctl apply; a doctor started from a shell shows the groups of that shell',
    }),
  ];
}
