import type { Finding } from '../../api/wire.ts';
import type { GroundPlan } from '../plan.ts';
import { fine, found } from './finding.ts';

/** The ground as the plan sees it: what was chosen and what is still to do. */
export function checkGround(plan: GroundPlan): readonly Finding[] {
  return [checkRoot(plan), checkPlan(plan)];
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
