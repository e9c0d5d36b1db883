import type { Finding } from '../../api/wire.ts';
import type { ObservedGround } from '../../core/ground-observed.ts';
import { hierarchyMount } from '../cgroup-plan.ts';
import type { GroundPlan } from '../plan.ts';
import { routeSituation } from '../route-plan.ts';
import type { GroundSettings } from '../settings.ts';
import { fine, found } from './finding.ts';

/** The ground as the plan sees it: root, cgroups, what is still to do, the way out. */
export function checkGround(
  observed: ObservedGround,
  plan: GroundPlan,
  settings: GroundSettings,
): readonly Finding[] {
  return [checkRoot(plan), checkPlan(plan), checkDevices(observed, plan), checkUplink(observed, settings)];
}

function checkRoot({ strategy }: GroundPlan): Finding {
  const title = 'The file tree can be prepared';
  if (strategy.refusal === undefined) {
    return fine('ground.root', title, `strategy ${strategy.root}: ${strategy.reasons.join('; ')}`);
  }
  return found('ground.root', title, {
    severity: 'warning',
    seen: strategy.refusal,
    wanted: 'a mount namespace of its own',
    why: 'Nothing is mounted, so dockerd finds neither /run nor /var',
    fix: 'start the agent by its init service: begetctl start_service oh_edge_agent',
  });
}

function checkPlan({ steps }: GroundPlan): Finding {
  const title = 'Nothing is left to prepare';
  const required = steps.filter((step) => step.isOptional !== true);
  if (steps.length === 0) return fine('ground.plan', title, 'no steps');
  return found('ground.plan', title, {
    severity: required.length > 0 ? 'warning' : 'info',
    seen: `${steps.length} steps, first: ${steps[0]?.what ?? ''}`,
    wanted: 'no steps',
    why: (required[0] ?? steps[0])?.why ?? '',
    fix: 'agentctl apply',
  });
}

function checkDevices(observed: ObservedGround, { strategy }: GroundPlan): Finding {
  const title = 'dockerd finds the devices cgroup';
  if (strategy.cgroup !== 'v1')
    return fine('cgroup.devices', title, `cgroups by strategy ${strategy.cgroup}`);
  const mount = hierarchyMount(observed, 'devices');
  if (mount !== undefined) return fine('cgroup.devices', title, `mounted at ${mount.target}`);
  const isOffered = observed.controllers.some((row) => row.name === 'devices' && row.isEnabled);
  return found('cgroup.devices', title, {
    severity: 'error',
    seen: isOffered ? 'offered by the kernel, not mounted below /sys/fs/cgroup' : 'not offered by the kernel',
    wanted: 'mounted at /sys/fs/cgroup/devices',
    why: 'dockerd ends with "Devices cgroup isn\'t mounted"',
    fix: isOffered ? 'agentctl apply' : 'build the kernel with CONFIG_CGROUP_DEVICE=y',
  });
}

function checkUplink(observed: ObservedGround, settings: GroundSettings): Finding {
  const title = 'There is a way out of the board';
  if (observed.networkProblem !== undefined) {
    return found('network.uplink', title, {
      severity: 'error',
      seen: observed.networkProblem,
      wanted: 'rules and routes can be read',
      why: 'Containers may have no network and nobody can tell',
      fix: `check ${settings.productDir}/bin/busybox`,
    });
  }
  const { uplinkTable, hasPolicy } = routeSituation(observed, settings);
  if (uplinkTable !== undefined) {
    return fine(
      'network.uplink',
      title,
      `default route in table ${uplinkTable}${hasPolicy ? ', by policy rules' : ''}`,
    );
  }
  return found('network.uplink', title, {
    severity: 'warning',
    seen: `no default route behind any of ${observed.rules.length} rules`,
    wanted: 'a default route in the table of some network',
    why: 'Neither the board nor its containers reach registry or cloud',
    fix: 'check cable or Wi-Fi, and that DHCP gave an address',
  });
}
