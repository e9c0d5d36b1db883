import type { Finding } from '../../api/wire.ts';
import { fine, found } from './finding.ts';

/** The operator's configuration file. */
export function checkConfig(problems: readonly string[]): Finding {
  const title = 'The configuration is right';
  if (problems.length === 0) return fine('config.valid', title, 'no problems');
  return found('config.valid', title, {
    severity: 'error',
    seen: problems.join('; '),
    wanted: 'no problems',
    why: 'The agent runs with its last good configuration, so a change has no effect',
    fix: 'correct the file, check it with "agentctl config check", restart the agent',
  });
}
