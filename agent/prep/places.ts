import type { ObservedGround } from '../core/ground-observed.ts';
import type { GroundSettings } from './settings.ts';
import type { RootStrategy } from './strategy.ts';

/** One thing that the units find in the file tree. `path` is as the units see it. */
export type Place =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number; readonly why: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string; readonly why: string }
  | {
      readonly kind: 'text';
      readonly path: string;
      readonly text: string;
      readonly mode: number;
      readonly why: string;
    }
  | {
      readonly kind: 'tmpfs';
      readonly path: string;
      readonly options: readonly string[];
      readonly why: string;
    }
  /** Something that exists at `source`, shown at `path`; recursive with all that is mounted below it. */
  | {
      readonly kind: 'bind';
      readonly path: string;
      readonly source: string;
      readonly shape: 'directory' | 'file' | 'tree';
      readonly why: string;
    };

/** Directory below the home that holds what is shown at /var, /opt, /root and in /etc. */
export function backing(settings: GroundSettings, path: string): string {
  return `${settings.home}/fs${path}`;
}

/** Directories and links below the home. They outlive boots and look the same before and after the root changes. */
export function homePlaces(settings: GroundSettings, root: RootStrategy): readonly Place[] {
  const { home, dataRoot } = settings;
  const own: readonly Place[] = [
    directory(home, 0o711, 'It is the home of the agent.'),
    directory(`${home}/run`, 0o711, 'The sockets of the agent are made here.'),
    directory(`${home}/state`, 0o700, 'What must outlive a restart is kept here.'),
    directory(`${home}/log`, 0o700, 'Logs are written here.'),
    directory(`${home}/tmp`, 0o700, 'Units get it as TMPDIR; /tmp of the board takes no files.'),
    directory(dataRoot, 0o710, 'dockerd keeps images and containers here.'),
  ];
  return root === 'host' ? own : [...own, ...backingPlaces((path) => backing(settings, path))];
}

function backingPlaces(back: (path: string) => string): readonly Place[] {
  const why = 'It must outlive a reboot.';
  return [
    directory(back(''), 0o755, 'It holds what is shown at /var, /opt, /root and in /etc.'),
    directory(back('/var'), 0o755, 'It is shown at /var.'),
    directory(back('/var/lib'), 0o755, why),
    directory(back('/var/lib/dbus'), 0o755, 'The kubelet inside edgecore looks for the machine id here.'),
    directory(back('/var/lib/kubelet'), 0o750, 'edgecore keeps pod volumes here.'),
    directory(back('/var/lib/kubeedge'), 0o750, 'edgecore keeps its database here.'),
    directory(back('/var/log'), 0o755, 'edgecore keeps pod logs here.'),
    directory(back('/var/cache'), 0o755, why),
    directory(back('/var/tmp'), 0o1777, why),
    symlink(back('/var/run'), '/run', 'Default paths of docker and edgecore begin with /var/run.'),
    symlink(back('/var/lock'), '/run/lock', 'Old programs lock here.'),
    directory(back('/opt'), 0o755, 'It is shown at /opt.'),
    directory(back('/opt/cni'), 0o755, why),
    directory(back('/opt/cni/bin'), 0o755, 'containerd looks for CNI plugins here.'),
    directory(back('/root'), 0o700, 'It is the home directory of the units.'),
    directory(back('/etc'), 0o755, 'It holds our part of /etc.'),
    directory(back('/etc/docker'), 0o755, 'dockerd 20.10 writes its key here.'),
    directory(back('/etc/cni'), 0o755, why),
    directory(back('/etc/cni/net.d'), 0o700, 'containerd looks for CNI networks here.'),
    directory(back('/etc/kubeedge'), 0o755, 'edgecore reads its configuration and makes its socket here.'),
  ];
}

const runOptions = ['mode=0755', 'nosuid', 'nodev'];
const tmpOptions = ['mode=1777', 'nosuid', 'nodev'];

/** What the units' file tree holds besides the system's own entries; nothing where the system has it all. */
export function unitPlaces(
  observed: ObservedGround,
  settings: GroundSettings,
  root: RootStrategy,
): readonly Place[] {
  if (root === 'host') return [];
  const etc = root === 'stock' ? '/etc' : systemEtc(observed);
  const bind = (path: string, shown = path): Place => ({
    kind: 'bind',
    path: shown,
    source: backing(settings, path),
    shape: 'directory',
    why: `${path} of the board does not exist or takes no files; docker, containerd and edgecore need it.`,
  });
  const hasTmp = root === 'stock' || observed.paths['/tmp']?.kind === 'directory';
  return [
    tmpfs(
      '/run',
      runOptions,
      'Shim sockets are compiled in as /run/containerd/s; state of one boot must end with it.',
    ),
    directory('/run/lock', 0o1777, '/var/lock points here.'),
    bind('/var'),
    bind('/opt'),
    bind('/root'),
    ...(hasTmp ? [tmpfs('/tmp', tmpOptions, '/tmp of the board lies on the read-only root.')] : []),
    bind('/etc/docker', `${etc}/docker`),
    bind('/etc/cni/net.d', `${etc}/cni/net.d`),
    bind('/etc/kubeedge', `${etc}/kubeedge`),
  ];
}

/** Where /etc of the system really is: OpenHarmony links it to /system/etc (build_image.py _prepare_root). */
export function systemEtc(observed: ObservedGround): string {
  const link = observed.paths['/etc'];
  if (link?.kind !== 'symlink' || link.target === undefined) return '/etc';
  return link.target.startsWith('/') ? link.target : `/${link.target}`;
}

export function directory(path: string, mode: number, why: string): Place {
  return { kind: 'directory', path, mode, why };
}

export function symlink(path: string, target: string, why: string): Place {
  return { kind: 'symlink', path, target, why };
}

export function tmpfs(path: string, options: readonly string[], why: string): Place {
  return { kind: 'tmpfs', path, options, why };
}
