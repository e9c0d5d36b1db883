import type { Finding } from '../../api/wire.ts';
import type { ObservedGround } from '../../core/ground-observed.ts';
import type { GroundProbes } from '../../core/ground-probes.ts';
import { nameServers } from '../etc-files.ts';
import { planRoutes, routeSituation } from '../route-plan.ts';
import type { GroundSettings } from '../settings.ts';
import { missing } from '../wanted.ts';
import { fine, found } from './finding.ts';

/** The way out, the rules for containers, forwarding and names. */
export async function checkNetwork(
  observed: ObservedGround,
  settings: GroundSettings,
  probes: GroundProbes,
): Promise<readonly Finding[]> {
  if (observed.networkProblem !== undefined) {
    return [
      found('network.uplink', 'There is a way out of the board', {
        severity: 'error',
        seen: observed.networkProblem,
        wanted: 'rules and routes can be read',
        why: 'Containers may have no network and nobody can tell',
        fix: `check that ${settings.productDir}/bin/busybox runs and has ip`,
      }),
    ];
  }
  return [
    checkUplink(observed, settings),
    checkRules(observed, settings),
    checkForwarding(observed),
    await checkNames(observed, settings, probes),
  ];
}

function checkUplink(observed: ObservedGround, settings: GroundSettings): Finding {
  const title = 'There is a way out of the board';
  const { uplinkTable } = routeSituation(observed, settings);
  const route = observed.routes.find((row) => row.table === uplinkTable && row.destination === 'default');
  if (route !== undefined) {
    return fine('network.uplink', title, `default route by ${route.device} in table ${route.table}`);
  }
  if (observed.hasIpv6Way === true) {
    return found('network.uplink', title, {
      severity: 'info',
      seen: 'a default route of IPv6 only',
      wanted: 'one of IPv4 for containers on a bridge',
      why: 'The rules of the agent and docker0 are IPv4: such containers reach nothing outside the board',
      fix: 'give the board an IPv4 address, or run containers in the host network',
    });
  }
  const up = observed.links.filter((link) => link.isUp && link.name !== 'lo' && !link.isBridge);
  return found('network.uplink', title, {
    severity: 'warning',
    seen: `no default route behind any of ${observed.rules.length} rules; interfaces up: ${up.map((link) => link.name).join(', ') || 'none'}`,
    wanted: 'a default route in the table of some network',
    why: 'Neither the board nor its containers reach a registry or the cloud',
    fix: 'check the cable or the Wi-Fi, and that DHCP gave an address',
  });
}

function checkRules(observed: ObservedGround, settings: GroundSettings): Finding {
  const title = 'Containers find their way out and back';
  const { hasPolicy, subnets } = routeSituation(observed, settings);
  if (!hasPolicy) return fine('network.rules', title, 'no policy rules stand before table main');
  if (!settings.routes.isEnabled) {
    return found('network.rules', title, {
      severity: 'warning',
      seen: 'routes.enabled is off on a board with policy rules',
      wanted: 'rules of ours, or of somebody else',
      why: 'Containers on a bridge reach nothing: forwarded packets find no default route',
      fix: 'set routes.enabled to true, or run containers in the host network',
    });
  }
  const open = missing(planRoutes(observed, settings));
  const first = open[0];
  if (first === undefined)
    return fine('network.rules', title, `rules for ${subnets.length} container subnets`);
  return found('network.rules', title, {
    severity: 'warning',
    seen: `${open.length} rules differ, first: ${first.what}`,
    wanted: 'every container subnet has its rules',
    why: first.why,
    fix: 'agentctl apply',
  });
}

function checkForwarding(observed: ObservedGround): Finding {
  const title = 'Packets are forwarded';
  const value = observed.sysctls['net.ipv4.ip_forward'];
  if (value === '1') return fine('network.forwarding', title, 'net.ipv4.ip_forward is 1');
  return found('network.forwarding', title, {
    severity: 'warning',
    seen: `net.ipv4.ip_forward is ${value ?? 'missing'}`,
    wanted: '1',
    why: 'Containers on a bridge reach nothing; OpenHarmony clears it when a hotspot ends',
    fix: 'agentctl apply',
  });
}

async function checkNames(
  observed: ObservedGround,
  settings: GroundSettings,
  probes: GroundProbes,
): Promise<Finding> {
  const title = 'Names can be resolved';
  const own = nameServers(observed, settings);
  const servers = own.length > 0 ? own : fileServers(observed.paths['/etc/resolv.conf']?.text ?? '');
  const answers = await Promise.all(servers.map((server) => probes.answersDns(server)));
  const answering = servers.filter((_, index) => answers[index] === true);
  if (answering.length > 0) return fine('network.dns', title, `${answering.join(', ')} answers`);
  return found('network.dns', title, {
    severity: 'warning',
    seen:
      servers.length === 0 ? 'no name server is known' : `${servers.join(', ')} does not answer within 3 s`,
    wanted: 'at least one that answers',
    why: 'Pulls fail with "lookup …: i/o timeout"; containers get the same servers. The file in the image names fixed ones',
    fix: 'set prep.dns to the name servers of this network and restart the agent',
  });
}

function fileServers(text: string): readonly string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].flatMap((match) => match[1] ?? []);
}
