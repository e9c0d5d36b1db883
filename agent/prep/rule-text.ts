import type { IpRule, ObservedGround } from '../core/ground-observed.ts';

/** Selectors of a policy rule that decide for us. */
export interface RuleSelectors {
  readonly from: string;
  readonly to?: string;
  readonly iif?: string;
  readonly oif?: string;
  /** Value and mask of fwmark as printed, e.g. `0/0xffff`. */
  readonly fwmark?: string;
  readonly table?: string;
  /** Words that nobody here understands: such a rule is never followed. */
  readonly unknown: readonly string[];
}

const oneWord = new Set(['from', 'to', 'iif', 'oif', 'fwmark', 'lookup', 'table']);

/** Takes a printed rule apart. */
export function parseRuleText(text: string): RuleSelectors {
  const found = new Map<string, string>();
  const unknown: string[] = [];
  const words = text.split(' ').filter((word) => word !== '' && word !== '[detached]');
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (oneWord.has(word)) {
      at += 1;
      found.set(word === 'table' ? 'lookup' : word, words[at] ?? '');
    } else {
      unknown.push(word);
    }
  }
  const table = found.get('lookup');
  return {
    from: found.get('from') ?? 'all',
    ...optional('to', found.get('to')),
    ...optional('iif', found.get('iif')),
    ...optional('oif', found.get('oif')),
    ...optional('fwmark', found.get('fwmark')),
    ...optional('table', table),
    unknown,
  };
}

function optional<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: string });
}

/**
 * Table of the network that an ordinary, unmarked connection of this board leaves by: the first rule, in the kernel's
 * order, that such a packet matches and whose table has a default route. netmanager numbers its tables 100 + ifindex
 * up to OpenHarmony 6.0 and 2000 + ifindex later (netmanager_base route_manager.cpp), so the number is only ever read.
 * The text of a rule does not tell everything: busybox `ip` leaves out `oif` and uid ranges, so netmanager's rules for
 * single interfaces look as if they held for all. The kernel's own answer, `uplink`, decides between them.
 */
export function defaultTable(
  observed: ObservedGround,
  isOurs: (rule: IpRule) => boolean,
): string | undefined {
  const { uplink } = observed;
  if (uplink !== undefined && uplink.device === undefined) return undefined;
  const ordered = [...observed.rules].sort((a, b) => a.priority - b.priority);
  for (const rule of ordered) {
    if (isOurs(rule)) continue;
    const selectors = parseRuleText(rule.text);
    if (selectors.table === undefined || !matchesLocal(selectors)) continue;
    const hasDefault = observed.routes.some(
      (route) =>
        route.table === selectors.table &&
        route.destination === 'default' &&
        (uplink === undefined ? route.device !== '' : route.device === uplink.device),
    );
    if (hasDefault) return selectors.table;
  }
  return undefined;
}

/** Whether a packet that this board makes itself, without a mark, matches. */
function matchesLocal(selectors: RuleSelectors): boolean {
  if (selectors.from !== 'all' || selectors.unknown.length > 0) return false;
  if (selectors.to !== undefined || selectors.oif !== undefined) return false;
  if (selectors.iif !== undefined && selectors.iif !== 'lo') return false;
  return selectors.fwmark === undefined || Number(selectors.fwmark.split('/')[0]) === 0;
}
