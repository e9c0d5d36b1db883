import path from 'node:path';
import { AgentClient } from '../../../agent/api/client.ts';
import { AgentError, messageOf } from '../../../agent/core/agent-error.ts';
import { homeDir } from '../../../agent/core/constants.ts';
import { UnixClient } from '../../../agent/host/unix-client.ts';
import type { Board } from '../board.ts';
import { inside, waitUntilReady } from './agent.ts';
import { eventually, expectEqual } from './expect.ts';
import { measurePace, withinPace } from './pace.ts';
import { onReadyBoard } from './ready-board.ts';

const ip = '/vendor/lab/bin/ip';
const netmanager = '/vendor/lab/bin/netmanager';
/** Longest time from damage to repair on an idle host, in milliseconds. */
const repairWithinMs = 5_000;
/** Time after which nobody waits any more, in milliseconds. */
const patienceMs = 60_000;

/** One way in which a person or the system damages the ground work. */
interface Damage {
  readonly what: string;
  readonly line: string;
  /** Netmanager's own rewrite may leave our rules alone; then there is nothing to repair and that is fine. */
  readonly mayNeedNothing?: true;
}

/** Drift is found and repaired, and only drift: a whole board has an empty plan. */
export const repair = onReadyBoard(
  'every mount and rule that the agent made is taken away, one at a time: repaired within 5 s and counted',
  async (board, { progress, logs }) => {
    const socket = path.join(logs, 'agent.sock');
    await board.expose(`unix:${homeDir}/run/agent.sock`, socket);
    const agent = new AgentClient(new UnixClient(socket));
    const damages = await progress.step('list what the agent made', async (note) => {
      expectEqual('plan of a whole board', (await agent.plan(soon())).steps, []);
      const found = await damagesOf(agent);
      note(`${found.length} ways to damage it`);
      return found;
    });
    const late: string[] = [];
    for (const damage of damages) {
      const { ms, within } = await progress.step(damage.what, (note) => hurt(board, agent, { damage, note }));
      if (ms > within.ms) late.push(`${damage.what}: ${ms} ms, want at most ${within.text}`);
    }
    await progress.step('after all that Docker is ready and a container runs', async () => {
      await waitUntilReady(board);
      await board.run('agentctl selftest', { timeoutMs: 300_000 });
    });
    if (late.length > 0) throw new AgentError('TIMED_OUT', `Repaired too late: ${late.join('; ')}`);
  },
);

const soon = (): AbortSignal => AbortSignal.timeout(patienceMs);

/** Read from what the agent says it did, so that nothing it will do in future is forgotten here. */
async function damagesOf(agent: AgentClient): Promise<readonly Damage[]> {
  const { events } = await agent.events(0, soon());
  const made = new Set<string>();
  for (const { event, fields } of events) {
    const id = String(fields['id']);
    if (event !== 'step.applied' || systemEntry.test(String(fields['what']))) continue;
    if (id.startsWith('rule-gone:')) made.delete(id.replace('rule-gone:', 'rule:'));
    else made.add(id);
  }
  const own = [...made].flatMap((id): readonly Damage[] => damageOf(id));
  return [
    ...own,
    { what: 'netmanager rewrites its rules', line: `${netmanager} rewrite`, mayNeedNothing: true },
    { what: 'the last hotspot ends', line: `${netmanager} hotspot-off` },
  ];
}

/**
 * A root of our own shows the system's entries as they were when it was built; the system's root is out of reach then,
 * and so are they, were somebody to take one away.
 */
const systemEntry = /^(?:bind (\/[^/ ]+) on \S+\/newroot\1|mount tmpfs on \S+\/newroot)$/;

/** How to undo one step; nothing for what lies on the board's disk: files are looked at once a minute. */
function damageOf(id: string): readonly Damage[] {
  const [kind = '', ...rest] = id.split(':');
  const target = rest.join(':');
  switch (kind) {
    case 'mount': {
      const line = inside(`umount ${target} 2>/dev/null || umount -l ${target}`);
      return [{ what: `${target} is unmounted`, line }];
    }
    case 'rule': {
      const line = `${ip} rule del ${target.replace(/^from all /, '')}`;
      return [{ what: `the rule "${target}" is deleted`, line }];
    }
    default:
      return [];
  }
}

/** Does one damage and waits for its repair. The pace is measured on both sides: a busy host changes it any moment. */
async function hurt(
  board: Board,
  agent: AgentClient,
  { damage, note }: { readonly damage: Damage; readonly note: (text: string) => void },
): Promise<{ readonly ms: number; readonly within: ReturnType<typeof withinPace> }> {
  const { prep: before } = await agent.status(soon());
  const pace = await measurePace(board);
  await board.run(damage.line);
  const sinceMs = performance.now();
  await eventually('the plan is empty again', patienceMs, async () => {
    try {
      const { prep } = await agent.status(soon());
      if (prep.repairs === before.repairs && damage.mayNeedNothing !== true) return 'no repair yet';
      return (await agent.plan(soon())).steps.length === 0 || 'steps are left';
    } catch (error) {
      return messageOf(error);
    }
  });
  const ms = Math.round(performance.now() - sinceMs);
  const { prep } = await agent.status(soon());
  const last = prep.lastRepair?.what ?? 'none';
  note(`${prep.repairs - before.repairs} repairs, the last: ${last}; whole again after at most ${ms} ms`);
  return { ms, within: withinPace(repairWithinMs, Math.max(pace, await measurePace(board))) };
}
