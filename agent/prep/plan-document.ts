import type { PlanDocument, StepView } from '../api/wire.ts';
import type { GroundStep } from '../core/ground-step.ts';
import type { GroundPlan } from './plan.ts';

/** A plan as everybody outside sees it. */
export function planDocument(plan: GroundPlan): PlanDocument {
  const { root, cgroup, reasons, refusal } = plan.strategy;
  return {
    strategy: { root, cgroup, reasons: refusal === undefined ? reasons : [...reasons, refusal] },
    steps: plan.steps.map(stepView),
  };
}

/** A step as everybody outside sees it. */
export function stepView({ id, kind, what, why }: GroundStep): StepView {
  return { id, kind, what, why };
}
