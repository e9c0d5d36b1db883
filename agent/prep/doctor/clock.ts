import type { Finding } from '../../api/wire.ts';
import { earliestTimeMs } from '../../core/constants.ts';
import type { ObservedGround } from '../../core/ground-observed.ts';
import { fine, found } from './finding.ts';

const title = 'The clock is right enough for TLS';

/** A clock in 1970 makes every certificate not yet valid. */
export function checkClock(observed: ObservedGround): Finding {
  const seen = `${Math.round(observed.wallMs / 1000)} s since 1970`;
  if (observed.wallMs >= earliestTimeMs) return fine('clock.set', title, seen);
  return found('clock.set', title, {
    severity: 'error',
    seen,
    wanted: `at least ${earliestTimeMs / 1000} s since 1970`,
    why: 'Every TLS connection fails with "certificate is not yet valid": no registry, no cloud',
    fix: 'give the board a network time source, or set the clock: date -s "2026-01-31 12:00:00"',
  });
}
