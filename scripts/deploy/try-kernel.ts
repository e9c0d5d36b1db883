import type { Finding } from '../../agent/api/wire.ts';
import { AgentError } from '../../agent/core/agent-error.ts';
import type { GroundProbes } from '../../agent/core/ground-probes.ts';
import { kernelProbeScript, parseProbes } from '../../agent/host/ground-probes.ts';
import { checkKernelFeatures } from '../../agent/prep/doctor/kernel.ts';
import { quote, type RemoteBoard } from './remote-board.ts';

/** Facts of the board that the probes are judged by, as `name=value` lines. */
const question = [
  'echo release=$(uname -r)',
  'echo groups=$(grep -c "^[^ ]* [^ ]* cgroup " /proc/mounts)',
  'echo unified=$(grep -c "^[^ ]* [^ ]* cgroup2 " /proc/mounts)',
  "echo devices=$(grep -c '^devices.*1$' /proc/cgroups)",
  'echo data=$(grep "^[^ ]* /data " /proc/mounts | tail -n 1 | cut -d " " -f 3)',
  'if [ -e /system/bin/iptables ]; then echo iptables=/system/bin/iptables; fi',
].join('; ');

/** What a board cannot do for containers, found out before anything is installed. */
export interface KernelTrial {
  /** Containers, or containers with a network, do not work without these. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

/**
 * The doctor's probes of the kernel, done by the one program that was pushed, in namespaces that are gone afterwards.
 * `folder` lies on the disk of /data.
 */
export async function tryKernel(board: RemoteBoard, busybox: string, folder: string): Promise<KernelTrial> {
  const text = await board.must('ask for the kernel', question);
  const facts = new Map(
    [...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value.trim()]),
  );
  const findings = await checkKernelFeatures(remoteProbes(board, busybox), {
    release: facts.get('release') ?? '',
    isUnified: facts.get('groups') === '0' && facts.get('unified') !== '0',
    hasDevices: facts.get('devices') === '1',
    place: { dataDirectory: folder, iptables: facts.get('iptables') },
    dataFilesystem: facts.get('data') ?? '',
    modules: [],
    loadable: [],
  });
  const of = (severity: Finding['severity']): string[] =>
    findings.filter((one) => one.severity === severity).map(sentence);
  return { problems: of('error'), notes: of('warning') };
}

function sentence({ title, seen, fix }: Finding): string {
  return `${title}: ${seen}; ${fix}`;
}

function remoteProbes(board: RemoteBoard, busybox: string): Pick<GroundProbes, 'kernel' | 'kernelConfig'> {
  return {
    kernelConfig: async () => {
      const { code, out } = await board.shell(`${busybox} zcat /proc/config.gz | grep CONFIG_`);
      return code === 0 && out.includes('CONFIG_') ? out : undefined;
    },
    kernel: async ({ dataDirectory, iptables }) => {
      const words = [busybox, 'sh', '-c', kernelProbeScript, 'probe', busybox, dataDirectory, iptables ?? ''];
      const line = `${busybox} unshare -m -n --propagation slave ${words.map(quote).join(' ')}`;
      const { code, out } = await board.shell(line);
      const results = parseProbes(out);
      if (results.size > 0) return results;
      throw new AgentError('TOOL_FAILED', `The probes ended with ${code}: ${out.trim().slice(-200)}`);
    },
  };
}
