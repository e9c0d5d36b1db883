import fs from 'node:fs';
import { errnoOf } from '../core/agent-error.ts';
import type { Log } from '../core/log.ts';

/** Units are at -500 and above: whoever starts them again goes after them. */
const oomScoreAdj = -700;

/** Makes the kernel end others first when memory is out. A refusal (no CAP_SYS_RESOURCE) is no reason not to run. */
export function protectSelf(log: Log): void {
  try {
    fs.writeFileSync('/proc/self/oom_score_adj', String(oomScoreAdj));
  } catch (error) {
    log.warn('agent.oom-score-refused', { score: oomScoreAdj, errno: errnoOf(error) });
  }
}
