import { AgentError } from '../core/agent-error.ts';

/** What the order of units depends on. */
export interface GraphNode {
  readonly name: string;
  readonly needs: readonly string[];
}

/**
 * Names in an order in which every unit comes after all that it needs. Unknown names, double names and cycles are all
 * reported together as CONFIG_INVALID.
 */
export function startOrder(nodes: readonly GraphNode[]): readonly string[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const problems = [...doubles(nodes), ...unknowns(nodes, byName)];
  const order: string[] = [];
  const marks = new Map<string, 'open' | 'done'>();
  const visit = (name: string, trail: readonly string[]): void => {
    if (marks.get(name) === 'done') return;
    if (marks.get(name) === 'open') {
      problems.push(
        `units need each other in a circle: ${[...trail.slice(trail.indexOf(name)), name].join(' -> ')}`,
      );
      return;
    }
    marks.set(name, 'open');
    for (const need of byName.get(name)?.needs ?? []) if (byName.has(need)) visit(need, [...trail, name]);
    marks.set(name, 'done');
    order.push(name);
  };
  for (const node of nodes) visit(node.name, []);
  if (problems.length > 0) {
    throw new AgentError('CONFIG_INVALID', `Cannot order the units: ${problems.join('; ')}; correct "needs"`);
  }
  return order;
}

/** Names in groups that may be stopped at the same time: nobody in a group is needed by a later one. */
export function stopGroups(nodes: readonly GraphNode[]): readonly (readonly string[])[] {
  const depth = new Map<string, number>();
  for (const name of [...startOrder(nodes)].reverse()) {
    const dependents = nodes.filter((node) => node.needs.includes(name));
    depth.set(name, Math.max(-1, ...dependents.map((node) => depth.get(node.name) ?? 0)) + 1);
  }
  const last = Math.max(-1, ...depth.values());
  return Array.from({ length: last + 1 }, (_, level) =>
    nodes.filter((node) => depth.get(node.name) === level).map((node) => node.name),
  );
}

function doubles(nodes: readonly GraphNode[]): string[] {
  const names = nodes.map((node) => node.name);
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map(
    (name) => `"${name}" is declared twice`,
  );
}

function unknowns(nodes: readonly GraphNode[], byName: ReadonlyMap<string, GraphNode>): string[] {
  return nodes.flatMap((node) =>
    node.needs
      .filter((need) => !byName.has(need))
      .map(
        (need) =>
          `"${node.name}" needs "${need}", which is no unit; there are ${[...byName.keys()].join(', ')}`,
      ),
  );
}
