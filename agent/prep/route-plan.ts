import type { ConnectedSubnet, IpRule, ObservedGround } from '../core/ground-observed.ts';
import { defaultTable, parseRuleText } from './rule-text.ts';
import type { GroundSettings } from './settings.ts';
import type { Wanted } from './wanted.ts';

/** Offset of the rules for traffic from containers within our 100 priorities. */
export const egressOffset = 50;
const containerBridge = /^(docker\d+|br-[0-9a-z_.-]+|cni[0-9a-z_.-]*|cbr\d+|nerdctl\d+|podman\d+)$/;

/** What container traffic meets on this board. */
export interface RouteSituation {
  readonly subnets: readonly ConnectedSubnet[];
  /** Whether rules exist that decide before table main. */
  readonly hasPolicy: boolean;
  /** Table of the network that has the default route now. */
  readonly uplinkTable: string | undefined;
}

/** Looks at bridges, rules and tables. */
export function routeSituation(observed: ObservedGround, settings: GroundSettings): RouteSituation {
  const isOurs = (rule: IpRule): boolean => isOurRule(rule, settings);
  return {
    subnets: containerSubnets(observed, settings),
    hasPolicy: observed.rules.some((rule) => rule.priority > 0 && rule.priority < 32_766 && !isOurs(rule)),
    uplinkTable: defaultTable(observed, isOurs),
  };
}

/**
 * Reports whether a rule is ours: our priority and exactly our shape. The kernel's protocol mark of rules would be
 * plainer, but busybox `ip` can neither set nor show it. A foreign rule in our range has another shape and stays.
 */
export function isOurRule(rule: IpRule, settings: GroundSettings, former: readonly number[] = []): boolean {
  const text = rule.text.replace(' [detached]', '');
  return [settings.routes.priority, ...former].some((first) => {
    if (rule.priority === first) return /^from all to \S+ lookup main$/.test(text);
    return rule.priority === first + egressOffset && /^from all iif \S+ lookup \S+$/.test(text);
  });
}

/**
 * Rules that let containers out and back in. netmanager keeps default routes out of table main, and its rule for the
 * default network holds only for packets of the board itself (`iif lo`), so forwarded packets find no route, while
 * answers of the board to a container leave by the uplink (netmanager_base route_manager.cpp, 3.2 and later). Without
 * policy rules, as on an ordinary Linux, nothing is wanted. `former` are ranges of an earlier configuration of this boot.
 */
export function planRoutes(
  observed: ObservedGround,
  settings: GroundSettings,
  former: readonly number[] = [],
): readonly Wanted[] {
  if (observed.networkProblem !== undefined) return [];
  const ours = observed.rules.filter((rule) => isOurRule(rule, settings, former));
  const texts = settings.routes.isEnabled ? wantedTexts(observed, settings) : [];
  const left = [...ours];
  const wanted = texts.map((item): Wanted => {
    const at = left.findIndex((rule) => rule.priority === item.priority && sameText(rule.text, item.text));
    if (at !== -1) left.splice(at, 1);
    return {
      isMet: at !== -1,
      step: {
        kind: 'add-rule',
        id: `rule:${item.text}`,
        what: `add ip rule ${item.priority}: ${item.text}`,
        why: item.why,
        priority: item.priority,
        words: item.text.split(' ').slice(2),
      },
    };
  });
  return [...wanted, ...left.map(removal)];
}

interface RuleText {
  readonly priority: number;
  readonly text: string;
  readonly why: string;
}

function wantedTexts(observed: ObservedGround, settings: GroundSettings): readonly RuleText[] {
  const { subnets, hasPolicy, uplinkTable } = routeSituation(observed, settings);
  if (!hasPolicy) return [];
  const { priority } = settings.routes;
  const inward = unique([...subnets.map((row) => row.subnet), ...settings.routes.subnets]).map((subnet) => ({
    priority,
    text: `from all to ${subnet} lookup main`,
    why: `Packets to containers in ${subnet} would leave by the uplink: the rule of the default network comes before table main.`,
  }));
  if (uplinkTable === undefined || uplinkTable === 'main') return inward;
  const outward = unique(subnets.map((row) => row.device)).map((device) => ({
    priority: priority + egressOffset,
    text: `from all iif ${device} lookup ${uplinkTable}`,
    why: `Packets from containers on ${device} would find no route: only table ${uplinkTable} has the default route.`,
  }));
  return [...inward, ...outward];
}

function containerSubnets(observed: ObservedGround, settings: GroundSettings): readonly ConnectedSubnet[] {
  const bridges = new Set(observed.links.filter((link) => link.isBridge).map((link) => link.name));
  return observed.subnets.filter(
    ({ device, subnet }) =>
      settings.routes.subnets.includes(subnet) || (bridges.has(device) && containerBridge.test(device)),
  );
}

function removal(rule: IpRule): Wanted {
  const { iif, to } = parseRuleText(rule.text);
  return {
    isMet: false,
    step: {
      kind: 'delete-rule',
      id: `rule-gone:${rule.text}`,
      what: `delete ip rule ${rule.priority}: ${rule.text}`,
      why: `It is ours and no longer fits: ${iif ?? to ?? 'its selector'} has no such container network now.`,
      priority: rule.priority,
      words: rule.text.replace(' [detached]', '').split(' ').slice(2),
    },
  };
}

function sameText(a: string, b: string): boolean {
  return a.replace(' [detached]', '') === b;
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}
