import { aborted } from '../core/aborted.ts';
import { AgentError } from '../core/agent-error.ts';
import type { Run } from './command.ts';
import page from './dashboard.html';
import { countOf } from './input.ts';

const maxPort = 65_535;
/** Records of the ledger that the page shows. */
const shownRecords = 30;

/** Shows the status page until Ctrl-C, which is its ordinary end. */
export const run: Run = async (ctx, input) => {
  const { client, local, signal } = ctx;
  if (local.serveDashboard === undefined) {
    throw new AgentError(
      'INPUT_INVALID',
      'Cannot show the dashboard: this build has none; use dist/agentctl.js',
    );
  }
  const dashboard = await local.serveDashboard(page, countOf(input, 'port', maxPort) ?? 0, {
    watch: (listener, until) => client.watch(listener, until),
    samples: (until) => client.samples(until),
    ledger: (until) => client.ledger({ n: shownRecords }, until),
  });
  ctx.out(dashboard.address);
  await aborted(signal);
  await dashboard.stop();
  return 0;
};
