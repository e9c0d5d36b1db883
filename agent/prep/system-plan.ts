import type { ObservedGround } from '../core/ground-observed.ts';
import { routeSituation } from './route-plan.ts';
import type { GroundSettings } from './settings.ts';
import type { Wanted } from './wanted.ts';

/** What containers need of the kernel where it is built with modules; nothing happens where all is built in. */
const modules: readonly (readonly [name: string, why: string])[] = [
  ['overlay', 'The storage driver overlay2 needs it.'],
  ['bridge', 'The default container network needs it.'],
  ['br_netfilter', 'Traffic between containers would pass by the firewall.'],
  ['veth', 'Containers get no network without it.'],
  ['ip_tables', 'dockerd writes NAT and filter rules.'],
  ['iptable_filter', 'dockerd writes filter rules.'],
  ['iptable_nat', 'Containers reach the network by masquerading.'],
  ['iptable_raw', 'dockerd 28 writes rules for published ports there.'],
  ['xt_MASQUERADE', 'Containers reach the network by masquerading.'],
  ['xt_addrtype', 'dockerd tells local addresses by it.'],
  ['xt_conntrack', 'Answers to containers are let in by it.'],
  ['xt_comment', 'Rules of dockerd and the kubelet carry comments.'],
  ['xt_mark', 'Rules of the kubelet mark packets.'],
];

/** Modules, switches of the kernel. */
export function planSystem(observed: ObservedGround, settings: GroundSettings): readonly Wanted[] {
  return [...planModules(observed), ...planSysctls(observed, settings)];
}

function planModules(observed: ObservedGround): readonly Wanted[] {
  const offered = new Set(observed.loadableModules);
  const present = new Set(observed.modules);
  return modules
    .filter(([name]) => offered.has(name))
    .map(([name, why]) => ({
      isMet: present.has(name),
      step: {
        kind: 'load-module',
        id: `module:${name}`,
        what: `load module ${name}`,
        why,
        module: name,
        isOptional: true,
      },
    }));
}

/** Switches that are asked for at every look. */
export function sysctlNames(observed: { readonly links: ObservedGround['links'] }): readonly string[] {
  return [
    'net.ipv4.ip_forward',
    'net.bridge.bridge-nf-call-iptables',
    'net.bridge.bridge-nf-call-ip6tables',
    filterName('all'),
    ...observed.links.map((link) => filterName(link.name)),
  ];
}

function filterName(device: string): string {
  return `net.ipv4.conf.${device.replaceAll('.', '/')}.rp_filter`;
}

function planSysctls(observed: ObservedGround, settings: GroundSettings): readonly Wanted[] {
  const bridged = ['net.bridge.bridge-nf-call-iptables', 'net.bridge.bridge-nf-call-ip6tables']
    .filter((name) => observed.sysctls[name] !== undefined)
    .map((name) => wantNice(observed, name, '1', 'Traffic between containers would pass by the firewall.'));
  return [
    wantSwitch(
      observed,
      'net.ipv4.ip_forward',
      '1',
      'Containers reach nothing without it. dockerd must find it set: where it has to set it itself it also drops forwarded traffic of others. The sharing manager of OpenHarmony clears it when a hotspot ends.',
    ),
    ...bridged,
    ...planReversePath(observed, settings),
  ];
}

/** With two tables the way back differs from the way out, which a strict filter takes for a forgery. Loose is enough. */
function planReversePath(observed: ObservedGround, settings: GroundSettings): readonly Wanted[] {
  if (!settings.routes.isEnabled || !routeSituation(observed, settings).hasPolicy) return [];
  const why = 'A strict filter drops answers to containers, because their way back is in another table.';
  return ['all', ...observed.links.map((link) => link.name)]
    .map(filterName)
    .filter((name) => observed.sysctls[name] === '1')
    .map((name) => wantNice(observed, name, '2', why));
}

function wantSwitch(observed: ObservedGround, name: string, value: string, why: string): Wanted {
  return {
    isMet: observed.sysctls[name] === value,
    step: { kind: 'write-sysctl', id: `sysctl:${name}`, what: `set ${name} to ${value}`, why, name, value },
  };
}

/** Docker runs without it; an interface may also be gone by the time its switch is set. */
function wantNice(observed: ObservedGround, name: string, value: string, why: string): Wanted {
  const { isMet, step } = wantSwitch(observed, name, value, why);
  return { isMet, step: { ...step, isOptional: true } };
}
