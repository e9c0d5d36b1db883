import type { Finding } from '../../api/wire.ts';
import type { ObservedGround } from '../../core/ground-observed.ts';
import type { GroundProbes } from '../../core/ground-probes.ts';
import type { GroundPlan } from '../plan.ts';
import { fine, found } from './finding.ts';

/** Whom to look for among the processes: programs of units, by absolute path. */
export interface UnitQuestion {
  readonly probes: GroundProbes;
  readonly programs: readonly string[];
}

/** The ground as the plan sees it: what was chosen and what is still to do. */
export function checkGround(
  observed: ObservedGround,
  plan: GroundPlan,
  question: UnitQuestion,
): readonly Finding[] {
  return [checkRoot(plan), checkPlan(plan), ...checkNamespace(observed, plan, question)];
}

/** Asked of the agent only: a shell of the system rightly sees other mounts than the units. */
function checkNamespace(
  observed: ObservedGround,
  { strategy }: GroundPlan,
  { probes, programs }: UnitQuestion,
): readonly Finding[] {
  const { own, init } = observed.namespace;
  if (own === init && strategy.root !== 'host') return [];
  const title = 'The units see the mounts of the agent';
  const units = probes.namespaces(programs);
  const away = units.filter((unit) => unit.mounts !== own);
  if (away.length === 0) return [fine('ground.namespace', title, `${units.length} processes in ${own}`)];
  return [
    found('ground.namespace', title, {
      severity: 'warning',
      seen: `${away.map((unit) => `${unit.name} (${unit.pid}) in ${unit.mounts}`).join(', ')}, the agent in ${own}`,
      wanted: 'one mount namespace for all of them',
      why: 'What the agent mounts or repairs is not seen there: sockets and volumes look missing',
      fix: 'agentctl restart dockerd; if it was started by somebody else, let only the agent start it',
    }),
  ];
}

function checkRoot({ strategy }: GroundPlan): Finding {
  const title = 'The file tree can be prepared';
  if (strategy.refusal === undefined) {
    return fine('ground.root', title, `strategy ${strategy.root}: ${strategy.reasons.join('; ')}`);
  }
  return found('ground.root', title, {
    severity: 'info',
    seen: strategy.refusal,
    wanted: 'a mount namespace of its own',
    why: 'What is looked at here is the system, not what the units see; ask the running agent',
    fix: 'start the agent by its init service: begetctl start_service oh_edge_agent',
  });
}

function checkPlan({ steps, strategy }: GroundPlan): Finding {
  const title = 'Nothing is left to prepare';
  const first = steps.find((step) => step.isOptional !== true) ?? steps[0];
  if (first === undefined) return fine('ground.plan', title, 'no steps');
  const isGrave = first.isOptional !== true && strategy.refusal === undefined;
  return found('ground.plan', title, {
    severity: isGrave ? 'warning' : 'info',
    seen: `${steps.length} steps, first: ${first.what}`,
    wanted: 'no steps',
    why: first.why,
    fix: 'agentctl apply',
  });
}
