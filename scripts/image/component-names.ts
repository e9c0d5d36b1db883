/** Names of the OpenHarmony part; the folder in the tree is `<subsystem>/<part>`. */
export const componentNames = {
  subsystem: 'oh_edge',
  part: 'oh_edge_agent',
  service: 'oh_edge_agent',
  /** SELinux type of the service's own domain. */
  domain: 'oh_edge_agent',
} as const;

/** Where the part lies in an OpenHarmony tree. */
export const componentPath = `${componentNames.subsystem}/${componentNames.part}`;
