import { earliestTimeMs } from '../core/constants.ts';
import type { ObservedGround } from '../core/ground-observed.ts';
import type { HealthBoard } from '../health/board.ts';
import type { GroundPlan } from './plan.ts';
import { routeSituation } from './route-plan.ts';
import type { GroundSettings } from './settings.ts';

/** A server that says a later time is wrong itself: 32-bit programs know none after it; milliseconds. */
export const latestTimeMs = 2_147_483_647_000;

const onlyIpv6 =
  'The way out of this board is IPv6 only; containers on a bridge reach nothing outside by IPv4';

/** What one pass left undone. */
export interface PassResult {
  readonly observed: ObservedGround;
  readonly plan: GroundPlan;
  /** Messages of failed steps by id. */
  readonly failures: ReadonlyMap<string, string>;
}

/** Writes what a pass found to the board. Reports whether everything that the units need is there. */
export function postConditions(board: HealthBoard, settings: GroundSettings, result: PassResult): boolean {
  postClock(board, result.observed);
  postNetwork(board, settings, result.observed);
  postRoutes(board, settings, result);
  return postPrepared(board, result);
}

function isRouteStep(kind: string): boolean {
  return kind === 'add-rule' || kind === 'delete-rule';
}

function postPrepared(board: HealthBoard, { plan, failures }: PassResult): boolean {
  const { strategy } = plan;
  if (strategy.refusal !== undefined) {
    board.set('Prepared', 'false', { reason: 'NamespaceShared', message: strategy.refusal });
    return false;
  }
  const open = plan.steps.filter((step) => !isRouteStep(step.kind));
  const required = open.filter((step) => step.isOptional !== true);
  const failed = required.find((step) => failures.has(step.id)) ?? required[0];
  if (failed !== undefined) {
    const message = failures.get(failed.id) ?? `Still to do: ${failed.what}`;
    board.set('Prepared', 'false', { reason: failures.has(failed.id) ? 'StepFailed' : 'StepsOpen', message });
    return false;
  }
  const left = open.length === 0 ? '' : `; without ${open.map((step) => step.what).join(', ')}`;
  board.set('Prepared', 'true', {
    reason: open.length === 0 ? 'AsPlanned' : 'OptionalMissing',
    message: `Root by strategy ${strategy.root}, cgroups ${strategy.cgroup}${left}`,
  });
  return true;
}

function postRoutes(
  board: HealthBoard,
  settings: GroundSettings,
  { observed, plan, failures }: PassResult,
): void {
  if (!settings.routes.isEnabled) {
    board.clear('RoutesReady');
    return;
  }
  if (observed.networkProblem !== undefined) {
    board.set('RoutesReady', 'unknown', { reason: 'ToolFailed', message: observed.networkProblem });
    return;
  }
  const open = plan.steps.find((step) => isRouteStep(step.kind));
  if (open !== undefined) {
    const message = failures.get(open.id) ?? `Still to do: ${open.what}`;
    board.set('RoutesReady', 'false', { reason: 'StepFailed', message });
    return;
  }
  const { hasPolicy, uplinkTable, subnets } = routeSituation(observed, settings);
  if (!hasPolicy) {
    board.set('RoutesReady', 'true', {
      reason: 'NotNeeded',
      message: 'No policy rules stand before table main',
    });
  } else if (uplinkTable === undefined && observed.hasIpv6Way === true) {
    const message = `${onlyIpv6}; give the board an IPv4 address, or switch routes.enabled off where all containers use the host network`;
    board.set('RoutesReady', 'false', { reason: 'OnlyIpv6', message });
  } else if (uplinkTable === undefined) {
    const message = 'Containers have no way out: no network of this board has a default route';
    board.set('RoutesReady', 'false', { reason: 'NoDefaultNetwork', message, causedBy: 'NetworkReady' });
  } else {
    const message = `${subnets.length} container subnets leave by table ${uplinkTable}`;
    board.set('RoutesReady', 'true', { reason: 'AsPlanned', message });
  }
}

function postNetwork(board: HealthBoard, settings: GroundSettings, observed: ObservedGround): void {
  if (observed.networkProblem !== undefined) {
    board.set('NetworkReady', 'unknown', { reason: 'ToolFailed', message: observed.networkProblem });
    return;
  }
  const { uplinkTable } = routeSituation(observed, settings);
  const route = observed.routes.find((row) => row.table === uplinkTable && row.destination === 'default');
  if (route === undefined && observed.hasIpv6Way === true) {
    board.set('NetworkReady', 'true', { reason: 'OnlyIpv6', message: onlyIpv6 });
    return;
  }
  if (route === undefined) {
    const message = 'No network of this board has a default route; check cable, Wi-Fi and DHCP';
    board.set('NetworkReady', 'false', { reason: 'NoDefaultRoute', message });
    return;
  }
  const message = `Default route by ${route.device} in table ${route.table}`;
  board.set('NetworkReady', 'true', { reason: 'DefaultRoute', message });
}

function postClock(board: HealthBoard, observed: ObservedGround): void {
  if (observed.wallMs >= earliestTimeMs) {
    board.set('ClockSynced', 'true', { reason: 'Plausible', message: 'The wall clock has been set' });
    return;
  }
  const message =
    'The wall clock was never set, so every TLS certificate looks not yet valid; connect the board to a time server, name one in prep.timeSources, or run "date -s"';
  board.set('ClockSynced', 'false', { reason: 'ClockUnset', message });
}
