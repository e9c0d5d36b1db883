import { AgentError, messageOf } from '../../../agent/core/agent-error.ts';
import type { Board } from '../board.ts';
import { parseWithout } from '../modules.ts';
import { readDoctor } from './agent.ts';
import type { Scenario } from './scenario.ts';

/** What is left out of the kernel, and the doctor's findings that this and only this explains; the first must be there. */
const features: Readonly<Record<string, readonly string[]>> = {
  overlay: ['kernel.overlay'],
  veth: ['kernel.veth'],
  bridge: ['kernel.bridge'],
  br_netfilter: ['kernel.bridge-filter'],
  addrtype: ['kernel.addrtype'],
  // The lab itself redirects names by NAT.
  nat: ['kernel.nat', 'network.dns'],
  masquerade: ['kernel.nat'],
  iptable_raw: ['kernel.raw'],
  xt_conntrack: ['kernel.conntrack'],
  'cgroup:pids': ['cgroup.pids'],
  'cgroup:memory': ['cgroup.memory'],
  'cgroup:devices': ['cgroup.devices'],
};

/** One board for each feature that a stock kernel lacks: the doctor names it, with its symptom, and blames nothing else. */
export const missingFeature: Scenario = {
  summary:
    'boards whose kernels lack one feature each (--without names some): doctor names it and blames nothing else',
  run: async ({ boot, progress, features: wanted = [] }) => {
    const failed: string[] = [];
    const chosen = Object.entries(features).filter(([name]) => wanted.length === 0 || wanted.includes(name));
    for (const [feature, explained] of chosen) {
      const { modules, controllers } = parseWithout([feature]);
      const board = await boot({
        image: { withoutModules: modules },
        start: { withoutControllers: controllers },
      });
      await progress
        .step(`doctor on a board without ${feature}`, (note) => blames(board, explained, note))
        .catch((error: unknown) => failed.push(`${feature}: ${messageOf(error)}`));
      await board.kill9();
    }
    if (chosen.length === 0)
      throw new AgentError('USAGE', `Cannot look at boards: none lacks ${wanted.join(', ')} only`);
    if (failed.length > 0)
      throw new AgentError('TOOL_FAILED', `The doctor was wrong about ${failed.join('; ')}`);
  },
};

async function blames(
  board: Board,
  explained: readonly string[],
  note: (text: string) => void,
): Promise<void> {
  // Before the ground work is done the doctor rightly names all that is not prepared yet.
  await board.run('agentctl wait --for condition=Prepared --timeout 240s');
  const { findings } = await readDoctor(board);
  const faults = findings.filter(({ severity }) => severity === 'error' || severity === 'warning');
  for (const { id, seen, why } of faults) note(`${id}: ${seen}; ${why}`);
  const ids = faults.map(({ id }) => id);
  const silent = explained[0] !== undefined && !ids.includes(explained[0]);
  const wrong = ids.filter((id) => !explained.includes(id));
  if (silent || wrong.length > 0) {
    throw new AgentError(
      'TOOL_FAILED',
      `blamed ${ids.join(', ') || 'nothing'}, want ${explained.join(', ')} only`,
    );
  }
}
