import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync, statfsSync, unlinkSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { AgentError } from '../core/agent-error.ts';
import type { Commands } from '../core/commands.ts';
import {
  type DiskRoom,
  type GroundProbes,
  type KernelProbe,
  kernelProbes,
  type ProbePlace,
  type ProbeResults,
  type ProcessNamespace,
} from '../core/ground-probes.ts';
import { linkTarget, namesIn } from './ground-files.ts';
import { placeNetwatch } from './ground-watch.ts';

const maxConfigBytes = 4_194_304;
/** A lost packet is no dead server: the question goes out again each second, three times. */
const dnsEveryMs = 1_000;
const dnsQuestions = 3;
/** Two dozen short programs: 2 s on an idle board, many times that where a pull or a boot takes all cores. */
const kernelTimeoutMs = 20_000;
const versionTimeoutMs = 10_000;

/**
 * Runs in mount and network namespaces of its own, so everything but its one directory on the data filesystem is gone
 * when it ends. Arguments: busybox, data directory, iptables or nothing. One shell, because each further process costs
 * tens of milliseconds on a slow board. Prints `NAME ok` or `NAME failed WORDS` per probe.
 */
export const kernelProbeScript = `
b=$1 data=$2 iptables=$3
try() {
    name=$1
    shift
    if said=$("$@" 2>&1); then echo "$name ok"; else echo "$name failed" $said; fi
}
for left in "$data"/.probe.*; do
    [ -d "/proc/\${left##*.}" ] || "$b" rm -rf "$left"
done
top=$data/.probe.$$
trap '"$b" umount -l "$top/tmp" 2>/dev/null; "$b" rm -rf "$top"' EXIT
"$b" mkdir -p "$top/tmp" "$top/l" "$top/u" "$top/w" "$top/m" || exit 1
"$b" mount -n -t tmpfs probe "$top/tmp" || exit 1
cd "$top/tmp" && "$b" mkdir l u w m q c || exit 1
export XTABLES_LOCKFILE="$top/tmp/lock"
[ -d /run ] && "$b" mount -n -t tmpfs probe /run
try overlay "$b" mount -n -t overlay -o lowerdir=l,upperdir=u,workdir=w overlay m
cd "$top" && try overlay-data "$b" mount -n -t overlay -o lowerdir=l,upperdir=u,workdir=w overlay m
"$b" umount -n m 2>/dev/null
cd "$top/tmp"
try mqueue "$b" mount -n -t mqueue mqueue q
try veth "$b" ip link add probe0 type veth
try bridge "$b" ip link add probe1 type bridge
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then echo bridge-filter ok; else echo bridge-filter failed no /proc/sys/net/bridge; fi
group() {
    "$b" mount -n -t cgroup -o devices cgroup c && "$b" mkdir "c/oh-edge-probe.$$" || return 1
    echo a >"c/oh-edge-probe.$$/devices.deny"
    result=$?
    "$b" rmdir "c/oh-edge-probe.$$"
    return $result
}
try devices-cgroup group
[ -n "$iptables" ] || exit 0
rule() { "$iptables" -w 5 "$@"; }
try nat rule -t nat -A POSTROUTING -s 172.31.255.0/24 -j MASQUERADE
try addrtype rule -A INPUT -m addrtype --dst-type LOCAL -j ACCEPT
try conntrack rule -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
try raw rule -t raw -A PREROUTING -d 172.31.255.1 -j DROP
`;

/** The doctor's probes on the real machine. */
export class HostGroundProbes implements GroundProbes {
  readonly #commands: Commands;
  readonly #busybox: string;
  readonly #runDirectory: string;

  constructor(commands: Commands, busybox: string, runDirectory: string) {
    this.#commands = commands;
    this.#busybox = busybox;
    this.#runDirectory = runDirectory;
  }

  async kernelConfig(): Promise<string | undefined> {
    try {
      const packed = readFileSync('/proc/config.gz');
      return gunzipSync(packed, { maxOutputLength: maxConfigBytes }).toString('latin1');
    } catch {
      return undefined;
    }
  }

  async kernel({ dataDirectory, iptables }: ProbePlace): Promise<ProbeResults> {
    const b = this.#busybox;
    const argv = [
      b,
      'unshare',
      '-m',
      '-n',
      '--propagation',
      'slave',
      b,
      'sh',
      '-c',
      kernelProbeScript,
      'probe',
    ] as const;
    const result = await this.#commands.run([...argv, b, dataDirectory, iptables ?? ''], {
      timeoutMs: kernelTimeoutMs,
    });
    const results = parseProbes(result.stdout);
    if (results.size > 0) return results;
    const said = result.stderr.trim().split('\n')[0] ?? '';
    throw new AgentError(
      'TOOL_FAILED',
      `Cannot try the kernel: the probes ended with ${result.code}, "${said}"`,
    );
  }

  async securebits(): Promise<number | undefined> {
    const program = placeNetwatch(this.#runDirectory);
    if (program === undefined) return undefined;
    try {
      // Not through the tool runner: the exit status is the answer, and setsid must not stand between.
      const { status } = spawnSync(program, ['securebits'], { env: {}, stdio: 'ignore', timeout: 2_000 });
      return status ?? undefined;
    } finally {
      unlinkSync(program);
    }
  }

  namespaces(programs: readonly string[]): readonly ProcessNamespace[] {
    return namesIn('/proc').flatMap((entry): readonly ProcessNamespace[] => {
      if (!/^\d+$/.test(entry)) return [];
      const program = linkTarget(`/proc/${entry}/exe`)?.replace(' (deleted)', '');
      const mounts = linkTarget(`/proc/${entry}/ns/mnt`);
      if (program === undefined || mounts === undefined || !programs.includes(program)) return [];
      return [{ name: program.split('/').at(-1) ?? program, pid: Number(entry), mounts }];
    });
  }

  room(path: string): DiskRoom | undefined {
    try {
      const { bavail, blocks, bsize, ffree, files } = statfsSync(path);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeInodes: ffree, totalInodes: files };
    } catch {
      return undefined;
    }
  }

  answersDns(server: string): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
      const end = (isAnswer: boolean): void => {
        clearInterval(timer);
        socket.close();
        resolve(isAnswer);
      };
      let asked = 0;
      const ask = (): void => {
        if (asked === dnsQuestions) end(false);
        else socket.send(rootQuery, 53, server);
        asked += 1;
      };
      const timer = setInterval(ask, dnsEveryMs);
      socket.once('error', () => end(false));
      socket.once('message', () => end(true));
      ask();
    });
  }

  async version(argv: readonly [string, ...string[]]): Promise<string | undefined> {
    try {
      const { code, stdout, stderr } = await this.#commands.run(argv, { timeoutMs: versionTimeoutMs });
      return code === 0 ? `${stdout}${stderr}`.split('\n')[0]?.trim() : undefined;
    } catch {
      return undefined;
    }
  }
}

/** A question for the name servers of the root, which every name server answers somehow (RFC 1035 4.1). */
const rootQuery = Buffer.from([0x0e, 0xd9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]);

/** Reads what the script printed. */
export function parseProbes(text: string): ProbeResults {
  const names = new Set<string>(kernelProbes);
  const results = new Map<KernelProbe, { readonly isOk: boolean; readonly said: string }>();
  for (const line of text.split('\n')) {
    const [name = '', state, ...words] = line.split(' ');
    if (names.has(name)) results.set(name as KernelProbe, { isOk: state === 'ok', said: words.join(' ') });
  }
  return results;
}
