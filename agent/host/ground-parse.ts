import type {
  ConnectedSubnet,
  Controller,
  IpRoute,
  IpRule,
  Membership,
  Mount,
} from '../core/ground-observed.ts';

/** Lines of /proc/self/mountinfo; fields as in proc_pid_mountinfo(5). A line that makes no sense is left out. */
export function parseMountinfo(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line): readonly Mount[] => {
    const words = line.split(' ');
    const separator = words.indexOf('-', 6);
    const [id, parent, device, root, target, options] = words;
    const [fstype, source, superOptions] = words.slice(separator + 1);
    if (separator === -1 || options === undefined || fstype === undefined) return [];
    const tags = words.slice(6, separator);
    return [
      {
        id: Number(id),
        parent: Number(parent),
        device: device ?? '',
        root: unescapePath(root ?? ''),
        target: unescapePath(target ?? ''),
        options: options.split(','),
        isShared: tags.some((tag) => tag.startsWith('shared:')),
        isSlave: tags.some((tag) => tag.startsWith('master:')),
        isUnbindable: tags.includes('unbindable'),
        fstype,
        source: unescapePath(source ?? ''),
        superOptions: (superOptions ?? '').split(','),
      },
    ];
  });
}

/** Blank, tab, newline and backslash come as octal escapes. */
function unescapePath(word: string): string {
  return word.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** Rows of /proc/cgroups. */
export function parseControllers(text: string): readonly Controller[] {
  return text.split('\n').flatMap((line): readonly Controller[] => {
    const [name, hierarchy, , enabled] = line.split('\t');
    if (name === undefined || name === '' || name.startsWith('#')) return [];
    return [{ name, hierarchy: Number(hierarchy), isEnabled: enabled === '1' }];
  });
}

/** Lines of /proc/self/cgroup, `3:cpu,cpuacct:/group`. */
export function parseMemberships(text: string): readonly Membership[] {
  return text.split('\n').flatMap((line): readonly Membership[] => {
    const match = /^(\d+):([^:]*):(.*)$/.exec(line);
    if (match === null) return [];
    const controllers = (match[2] ?? '').split(',').filter((word) => word !== '');
    return [{ hierarchy: Number(match[1]), controllers, path: match[3] ?? '/' }];
  });
}

/** Output of `ip rule list`: `8500:	from all to 172.17.0.0/16 lookup main`. */
export function parseRules(text: string): readonly IpRule[] {
  return text.split('\n').flatMap((line): readonly IpRule[] => {
    const match = /^(\d+):\s+(.*\S)\s*$/.exec(line);
    if (match === null) return [];
    return [{ priority: Number(match[1]), text: (match[2] ?? '').replace(/\s+/g, ' ') }];
  });
}

/** Output of `ip route show table all`; only unicast routes of IPv4 matter. */
export function parseRoutes(text: string): readonly IpRoute[] {
  return text.split('\n').flatMap((line): readonly IpRoute[] => {
    const words = line.trim().split(/\s+/);
    const destination = words[0] ?? '';
    if (!/^(default|\d+(\.\d+){3}(\/\d+)?)$/.test(destination)) return [];
    const after = (key: string): string | undefined => {
      const at = words.indexOf(key);
      return at === -1 ? undefined : words[at + 1];
    };
    const gateway = after('via');
    return [
      {
        table: after('table') ?? 'main',
        destination: destination === '0.0.0.0/0' ? 'default' : destination,
        device: after('dev') ?? '',
        ...(gateway === undefined ? {} : { gateway }),
      },
    ];
  });
}

/** The interface that has an address, from `ip route show table all`; nothing where there is no such address. */
export function parseUplink(text: string, address: string | undefined): { readonly device?: string } {
  const words = text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([kind, own]) => kind === 'local' && own === address && address !== undefined);
  const device = words?.[words.indexOf('dev') + 1];
  return device === undefined ? {} : { device };
}

/** Rows of /proc/net/route that have no gateway: what is directly connected, in table main. Numbers are little-endian hex. */
export function parseConnectedSubnets(text: string): readonly ConnectedSubnet[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line): readonly ConnectedSubnet[] => {
      const [device, destination, gateway, , , , , mask] = line.split('\t').map((word) => word.trim());
      if (device === undefined || destination === undefined || mask === undefined) return [];
      if (gateway !== '00000000' || mask === '00000000') return [];
      return [{ device, subnet: `${dotted(destination)}/${bitsOf(mask)}` }];
    });
}

function dotted(hex: string): string {
  const bytes = hex.match(/../g) ?? [];
  return bytes
    .reverse()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.');
}

function bitsOf(mask: string): number {
  return [...Number.parseInt(mask, 16).toString(2)].filter((bit) => bit === '1').length;
}

/** Names of /proc/filesystems. */
export function parseFilesystems(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.split('\t').at(-1) ?? '')
    .filter((name) => name !== '');
}

/** Names of the modules that modules.dep lists, with `_` as /sys/module writes them. */
export function parseModulesDep(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const file = line.split(':')[0]?.split('/').at(-1) ?? '';
    const name = file.replace(/\.ko(\.(gz|xz|zst))?$/, '');
    return name === '' || name === file ? [] : [name.replaceAll('-', '_')];
  });
}

/** `Max open files` of /proc/self/limits. */
export function parseOpenFiles(text: string): { readonly soft: number; readonly hard: number } {
  const match = /^Max open files\s+(\S+)\s+(\S+)/m.exec(text);
  const number = (word: string | undefined): number =>
    word === 'unlimited' ? Number.POSITIVE_INFINITY : Number(word ?? 0);
  return { soft: number(match?.[1]), hard: number(match?.[2]) };
}
