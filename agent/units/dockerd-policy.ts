import type { UnitPolicy } from '../core/unit-spec.ts';
import type { DockerdSettings } from './dockerd-config.ts';

/** Milliseconds for each of the requests of a probe. */
export const dockerdTimeouts = { pingMs: 5_000, containerdMs: 5_000, deepMs: 15_000 } as const;

/** Times of the dockerd unit: a ping is cheap and comes often, what goes through containerd comes seldom and may take longer. */
export function dockerdPolicy(settings: DockerdSettings, restart: UnitPolicy['restart']): UnitPolicy {
  const { pingMs, containerdMs, deepMs } = dockerdTimeouts;
  return {
    restart,
    startMs: settings['dockerd.startMs'],
    quietMs: 60_000,
    stopMs: settings['dockerd.stopMs'],
    probeMs: settings['dockerd.pingMs'],
    probeTimeoutMs: pingMs + 1_000,
    deepMs: Math.max(settings['dockerd.deepMs'], settings['dockerd.pingMs']),
    deepTimeoutMs: pingMs + containerdMs + 2 * deepMs,
    silentLimit: 6,
    aidMs: 20_000,
  };
}
