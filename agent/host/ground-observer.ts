import { AgentError, messageOf } from '../core/agent-error.ts';
import type { Commands } from '../core/commands.ts';
import type { GroundNews, GroundObserver, GroundWatch } from '../core/ground.ts';
import type { GroundFacts, GroundQuestions, Link, ObservedMachine } from '../core/ground-observed.ts';
import { groundFacts, linkTarget, namesIn, readText, readWhole } from './ground-files.ts';
import {
  parseConnectedSubnets,
  parseControllers,
  parseFilesystems,
  parseMemberships,
  parseModulesDep,
  parseMountinfo,
  parseOpenFiles,
  parseRoutes,
  parseRules,
  parseUplink,
} from './ground-parse.ts';
import { HostGroundWatch } from './ground-watch.ts';
import { liveNameServers, netsysSocket } from './netsys-resolver.ts';
import { askWayOut } from './way-out.ts';

const upFlag = 1;
/** Even what cannot have changed is read again after this time; milliseconds. */
const rereadMs = 3_600_000;

type Network = Pick<ObservedMachine, 'rules' | 'routes' | 'uplink' | 'networkProblem'>;

/** Looks at the machine through /proc and /sys; only rules and routes of all tables need a tool, busybox `ip`. */
export class HostGroundObserver implements GroundObserver {
  readonly #commands: Commands;
  readonly #busybox: string;
  readonly #runDirectory: string;
  #watch: HostGroundWatch | undefined;
  /** Counts news, so that what was read while some came is not kept. */
  #news = 0;
  #known: { readonly network: Network; readonly readAtMs: number } | undefined;
  #loadable: { readonly release: string; readonly names: readonly string[] } | undefined;

  /** `runDirectory` takes a small program for the moment of its start. */
  constructor(commands: Commands, busybox: string, runDirectory: string) {
    this.#commands = commands;
    this.#busybox = busybox;
    this.#runDirectory = runDirectory;
  }

  fingerprint(): string {
    return [
      readWhole('/proc/self/mountinfo'),
      readWhole('/proc/net/fib_trie'),
      readWhole('/proc/net/route'),
      readText('/proc/net/if_inet6') ?? '',
      namesIn('/sys/class/net').join(' '),
      readText('/proc/sys/net/ipv4/ip_forward') ?? '',
      readText('/proc/self/cgroup') ?? '',
    ].join('\0');
  }

  forget(): void {
    this.#news += 1;
    this.#known = undefined;
  }

  facts(questions: GroundQuestions): GroundFacts {
    return groundFacts(questions);
  }

  async observe(): Promise<ObservedMachine> {
    const release = (readText('/proc/sys/kernel/osrelease') ?? '').trim();
    const [network, ipv6, nameServers] = await Promise.all([
      this.#network(),
      ipv6Way(),
      liveNameServers(netsysSocket),
    ]);
    const serial = boardSerial();
    const selinux = observeSelinux();
    return {
      bootId: (readText('/proc/sys/kernel/random/boot_id') ?? '').trim(),
      release,
      wallMs: Date.now(),
      namespace: {
        own: linkTarget('/proc/self/ns/mnt') ?? 'unknown',
        init: linkTarget('/proc/1/ns/mnt') ?? 'hidden',
      },
      mounts: parseMountinfo(readWhole('/proc/self/mountinfo')),
      filesystems: parseFilesystems(readText('/proc/filesystems') ?? ''),
      controllers: parseControllers(readText('/proc/cgroups') ?? ''),
      memberships: parseMemberships(readText('/proc/self/cgroup') ?? ''),
      ...network,
      ...ipv6,
      ...(nameServers === undefined ? {} : { nameServers }),
      subnets: parseConnectedSubnets(readWhole('/proc/net/route')),
      links: namesIn('/sys/class/net').map(observeLink),
      modules: namesIn('/sys/module'),
      loadableModules: this.#loadableModules(release),
      openFiles: parseOpenFiles(readText('/proc/self/limits') ?? ''),
      ...(selinux === undefined ? {} : { selinux }),
      ...(serial === undefined ? {} : { serial }),
    };
  }

  watch(onNews: (news: GroundNews) => void): GroundWatch {
    this.#watch = new HostGroundWatch(this.#runDirectory, (news) => {
      if (news === 'network') this.forget();
      onNews(news);
    });
    return this.#watch;
  }

  /** Rules and routes cost a process each; while the kernel tells every change, what was read last is still true. */
  async #network(): Promise<Network> {
    const known = this.#known;
    if (
      known !== undefined &&
      this.#watch?.isLive() === true &&
      performance.now() - known.readAtMs < rereadMs
    ) {
      return known.network;
    }
    const news = this.#news;
    const network = await this.#readNetwork();
    const isCertain =
      this.#watch?.isLive() === true && news === this.#news && network.networkProblem === undefined;
    if (isCertain) this.#known = { network, readAtMs: performance.now() };
    return network;
  }

  async #readNetwork(): Promise<Network> {
    try {
      const [rules, routes, way] = await Promise.all([
        this.#ip('rule', 'list'),
        this.#ip('route', 'show', 'table', 'all'),
        askWayOut(),
      ]);
      const uplink = way === undefined ? {} : { uplink: parseUplink(routes, way.address) };
      return { rules: parseRules(rules), routes: parseRoutes(routes), ...uplink };
    } catch (error) {
      return { rules: [], routes: [], networkProblem: messageOf(error) };
    }
  }

  async #ip(...words: readonly string[]): Promise<string> {
    const result = await this.#commands.run([this.#busybox, 'ip', ...words]);
    if (result.code === 0) return result.stdout;
    const said = result.stderr.trim().split('\n')[0] ?? '';
    throw new AgentError(
      'TOOL_FAILED',
      `Cannot read "ip ${words.join(' ')}": exit code ${result.code}, "${said}"; the kernel needs IP_ADVANCED_ROUTER and IP_MULTIPLE_TABLES`,
    );
  }

  #loadableModules(release: string): readonly string[] {
    if (this.#loadable?.release !== release) {
      this.#loadable = { release, names: parseModulesDep(readWhole(`/lib/modules/${release}/modules.dep`)) };
    }
    return this.#loadable.names;
  }
}

async function ipv6Way(): Promise<Pick<ObservedMachine, 'hasIpv6Way'>> {
  const way = await askWayOut('udp6');
  return way === undefined ? {} : { hasIpv6Way: way.address !== undefined };
}

function observeLink(name: string): Link {
  const flags = Number(readText(`/sys/class/net/${name}/flags`) ?? '0');
  return {
    name,
    isBridge: namesIn(`/sys/class/net/${name}/bridge`).length > 0,
    isUp: (flags & upFlag) !== 0,
  };
}

/** Something that is this board's for ever: the serial number of the device tree, else the id of its eMMC. */
function boardSerial(): string | undefined {
  for (const path of ['/proc/device-tree/serial-number', '/sys/block/mmcblk0/device/cid']) {
    const text = readText(path)?.replaceAll('\0', '').trim();
    if (text !== undefined && text !== '') return text;
  }
  return undefined;
}

function observeSelinux(): { readonly isEnforcing: boolean; readonly domain: string } | undefined {
  const enforce = readText('/sys/fs/selinux/enforce');
  if (enforce === undefined) return undefined;
  const domain = (readText('/proc/self/attr/current') ?? '').replaceAll('\0', '').trim();
  return { isEnforcing: enforce.trim() === '1', domain };
}
