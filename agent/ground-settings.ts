import type { Config } from './config/config.ts';
import type { Places } from './places.ts';
import type { GroundSettings } from './prep/settings.ts';

/** What the ground work wants, out of the configuration and the places of this agent. */
export function groundSettings(config: Config, places: Places): GroundSettings {
  return {
    root: config['prep.root'],
    cgroup: config['prep.cgroup'],
    intervalMs: config['prep.intervalMs'],
    dns: config['prep.dns'],
    routes: {
      isEnabled: config['routes.enabled'],
      subnets: config['routes.subnets'],
      priority: config['routes.priority'],
    },
    dataRoot: config['dockerd.dataRoot'],
    home: places.home,
    productDir: places.product,
    binDir: config['dockerd.binDir'],
    busybox: places.busybox,
  };
}
