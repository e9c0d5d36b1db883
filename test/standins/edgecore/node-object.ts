import { arch, hostname, networkInterfaces } from 'node:os';
import type { Settings } from './settings.ts';

type Json = Record<string, unknown>;

/** Kubernetes release inside each KubeEdge minor release (go.mod of the tags). */
const kubernetes: Readonly<Record<number, string>> = {
  10: 'v1.22.6',
  11: 'v1.22.6',
  12: 'v1.22.6',
  13: 'v1.23.15',
  14: 'v1.24.14',
  15: 'v1.26.7',
  16: 'v1.27.7',
  17: 'v1.28.6',
  18: 'v1.29.6',
  19: 'v1.29.6',
  20: 'v1.30.7',
  21: 'v1.30.7',
  22: 'v1.31.12',
  23: 'v1.32.10',
};

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm' };

/** The Node that edgecore registers. */
export function nodeObject(settings: Settings, version: string): Json {
  const labels = {
    'kubernetes.io/hostname': hostname(),
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architectures[arch()] ?? arch(),
    'node-role.kubernetes.io/edge': '',
    'node-role.kubernetes.io/agent': '',
    ...settings.labels,
  };
  return { metadata: { name: settings.nodeName, labels }, status: statusOf(version, true) };
}

/** Node status with its conditions, as a patch. */
export function statusOf(version: string, isRuntimeUp: boolean): Json {
  const minor = Number(/^v?1\.(\d+)/.exec(version)?.[1] ?? 22);
  const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const good = (type: string, reason: string, message: string) => ({
    type,
    status: 'False',
    reason,
    message,
    lastHeartbeatTime: at,
    lastTransitionTime: at,
  });
  return {
    addresses: [
      { type: 'InternalIP', address: localAddress() },
      { type: 'Hostname', address: hostname() },
    ],
    conditions: [
      good('MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      good('DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      good('PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      {
        type: 'Ready',
        status: isRuntimeUp ? 'True' : 'False',
        reason: isRuntimeUp ? 'KubeletReady' : 'KubeletNotReady',
        message: isRuntimeUp ? 'kubelet is posting ready status' : 'container runtime is down',
        lastHeartbeatTime: at,
        lastTransitionTime: at,
      },
    ],
    nodeInfo: {
      kubeletVersion: `${kubernetes[minor] ?? 'v1.0.0'}-kubeedge-v${version}`,
      operatingSystem: 'linux',
    },
  };
}

function localAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1';
}
