import { createHash } from 'node:crypto';
import type { ObservedGround } from '../core/ground-observed.ts';
import { backing, type Place, symlink, systemEtc } from './places.ts';
import type { GroundSettings } from './settings.ts';
import type { RootStrategy } from './strategy.ts';

const hostsText = '127.0.0.1 localhost\n::1 localhost ip6-localhost\n# written by oh-edge-agent\n';

/** Last line of a resolv.conf that is of the network, not of the configuration. */
const liveMark = '# of the network that the board was in last\n';

interface EtcFile {
  readonly name: string;
  readonly text: string;
  readonly why: string;
}

/** Files of ours in /etc, with their content; nothing where the system has them all. */
function ownFiles(observed: ObservedGround, settings: GroundSettings): readonly EtcFile[] {
  const servers = nameServers(observed, settings);
  const machineId: EtcFile = {
    name: 'machine-id',
    text: machineIdText(observed, settings),
    why: 'The kubelet inside edgecore reports it as the identity of the machine; OpenHarmony has none.',
  };
  const resolver: EtcFile = {
    name: 'resolv.conf',
    text: `${servers.map((server) => `nameserver ${server}\n`).join('')}${settings.dns.length > 0 ? '' : liveMark}`,
    why: 'The name servers in the image are fixed, and static Go programs use nothing else.',
  };
  const hosts: EtcFile = {
    name: 'hosts',
    text: hostsText,
    why: 'Programs expect localhost to resolve without a name server.',
  };
  const seenHosts = observed.paths['/etc/hosts']?.text ?? '';
  const hasHosts = seenHosts !== '' && seenHosts !== hostsText;
  return [machineId, ...(servers.length > 0 ? [resolver] : []), ...(hasHosts ? [] : [hosts])];
}

/**
 * Name servers for units and containers: those of the configuration, else those of the live network, else those of the
 * last one. None leaves the image's file in use.
 */
export function nameServers(observed: ObservedGround, settings: GroundSettings): readonly string[] {
  if (settings.dns.length > 0) return settings.dns;
  const live = observed.nameServers ?? [];
  return live.length > 0 ? live : lastServers(observed, settings);
}

/**
 * Containers that start again at boot are mostly earlier than Wi-Fi and DHCP, and docker writes their resolv.conf once, when
 * they start (moby libnetwork resolvconf): the servers of the last network serve them, the fixed ones of the image do not.
 */
function lastServers(observed: ObservedGround, settings: GroundSettings): readonly string[] {
  const text = observed.paths[backing(settings, '/etc/resolv.conf')]?.text ?? '';
  if (!text.endsWith(liveMark)) return [];
  return [...text.matchAll(/^nameserver (\S+)$/gm)].flatMap(([, server]) => server ?? []);
}

/** Names in /etc that are ours. */
export function ownFileNames(observed: ObservedGround, settings: GroundSettings): readonly string[] {
  return ownFiles(observed, settings).map((file) => file.name);
}

/** The files themselves, below the home. */
export function backedFiles(
  observed: ObservedGround,
  settings: GroundSettings,
  root: RootStrategy,
): readonly Place[] {
  if (root === 'host') return [];
  const text = (path: string, file: EtcFile): Place => ({
    kind: 'text',
    path: backing(settings, path),
    text: file.text,
    mode: 0o644,
    why: file.why,
  });
  return ownFiles(observed, settings).flatMap((file) => [
    text(`/etc/${file.name}`, file),
    ...(file.name === 'machine-id' ? [text('/var/lib/dbus/machine-id', file)] : []),
  ]);
}

/** How they come into /etc: by link in our own root, by bind where the image has a file to bind on. */
export function shownFiles(
  observed: ObservedGround,
  settings: GroundSettings,
  root: RootStrategy,
): readonly Place[] {
  if (root === 'host') return [];
  return ownFiles(observed, settings).flatMap((file): readonly Place[] => {
    const source = backing(settings, `/etc/${file.name}`);
    if (root === 'stock') return [symlink(`/etc/${file.name}`, source, file.why)];
    const path = `${systemEtc(observed)}/${file.name}`;
    if (observed.paths[path]?.kind !== 'file') return [];
    return [{ kind: 'bind', path, source, shape: 'file', why: file.why }];
  });
}

/** The id that is there stays for ever; a new one follows from the serial number, or from the id of this first boot. */
function machineIdText(observed: ObservedGround, settings: GroundSettings): string {
  const kept = observed.paths[backing(settings, '/etc/machine-id')]?.text;
  if (kept !== undefined && /^[0-9a-f]{32}\n$/.test(kept)) return kept;
  const seed = observed.serial ?? observed.bootId;
  return `${createHash('sha256').update(`oh-edge-agent machine-id ${seed}`).digest('hex').slice(0, 32)}\n`;
}
