import { homeDir, productDir } from '../../agent/core/constants.ts';

/** Paths that a deployment uses on the board; the system's root only holds links, a start script and the cfg. */
export const places = {
  slots: `${homeDir}/slots`,
  /** Link to the product in the slot in use; changing it is the switch. */
  active: `${homeDir}/active`,
  /** Link of the system's root to `active`. */
  product: productDir,
  cfg: '/system/etc/init/oh_edge_agent.cfg',
  agentctl: '/system/bin/agentctl',
  service: 'oh_edge_agent',
  /** Who holds the private mount namespace: boot id, process, start time. */
  holder: `${homeDir}/run/namespace`,
} as const;

/** The product inside a slot. */
export function productIn(slot: string): string {
  return `${places.slots}/${slot}${productDir}`;
}
