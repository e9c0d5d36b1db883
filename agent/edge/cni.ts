/** Plugins that the network below needs. containerd itself calls `loopback` for every pod. */
export const cniPlugins = ['bridge', 'host-local', 'loopback', 'portmap'] as const;

/** Name of our file: others with a name before it in the alphabet win, as containerd takes the first. */
export const conflistName = '50-oh-edge-agent.conflist';

/**
 * CNI network for pods: a bridge with NAT, whose name the ground work recognises, so that pods get a way out under the
 * policy routes of the board. Version 0.4.0 is read by containerd 1.4 and later.
 */
export function cniConflist(subnet: string): string {
  const conflist = {
    cniVersion: '0.4.0',
    name: 'oh-edge-agent',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: { type: 'host-local', ranges: [[{ subnet }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  return `${JSON.stringify(conflist, undefined, 2)}\n`;
}
