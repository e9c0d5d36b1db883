import type { DoctorDocument, Finding } from '../../api/wire.ts';
import { messageOf } from '../../core/agent-error.ts';
import type { GroundObserver } from '../../core/ground.ts';
import type { GroundQuestions, ObservedGround } from '../../core/ground-observed.ts';
import type { GroundProbes } from '../../core/ground-probes.ts';
import type { Programs } from '../../core/program.ts';
import { lookAtGround, mergeFacts } from '../look.ts';
import { mountCovering } from '../mount-table.ts';
import { backing } from '../places.ts';
import { planGround } from '../plan.ts';
import type { GroundSettings } from '../settings.ts';
import { cgroupPaths, cgroupTexts, checkCgroups, unifiedTexts } from './cgroups.ts';
import { checkClock } from './clock.ts';
import { checkConfig } from './config.ts';
import { checkDisk } from './disk.ts';
import { found, summarize } from './finding.ts';
import { checkGround } from './ground.ts';
import { checkIdentity } from './identity.ts';
import { checkKernelFeatures } from './kernel.ts';
import { checkNetwork } from './network.ts';
import { checkIptables, checkParts, findIptables } from './parts.ts';
import { checkSecurity, initFile } from './security.ts';

/** What an examination looks with. */
export interface ExamineParts {
  readonly settings: GroundSettings;
  readonly observer: GroundObserver;
  readonly probes: GroundProbes;
  readonly programs: Programs;
  readonly configProblems: readonly string[];
  /** `node.name` */
  readonly nodeName: string;
  /** `dockerd.enabled` */
  readonly isDockerWanted: boolean;
}

type Check = (
  observed: ObservedGround,
  parts: ExamineParts,
) => Promise<readonly Finding[]> | readonly Finding[];

/** Every room of checks; one that fails is a finding itself and does not silence the others. */
const checks: Readonly<Record<string, Check>> = {
  config: (_, { configProblems }) => [checkConfig(configProblems)],
  ground: (observed, { settings, probes }) => {
    const programs = ['dockerd', 'containerd'].map((name) => `${settings.binDir}/${name}`);
    return checkGround(observed, planGround(observed, settings), { probes, programs });
  },
  cgroup: (observed, { settings }) => checkCgroups(observed, planGround(observed, settings)),
  network: (observed, { settings, probes }) => checkNetwork(observed, settings, probes),
  parts: (_, { programs, settings, isDockerWanted }) => checkParts(programs, settings, isDockerWanted),
  kernel: tryKernel,
  disk: (observed, { settings, probes }) => checkDisk(observed, settings, probes),
  security: (observed, { probes }) => checkSecurity(observed, probes),
  identity: (observed, { settings, nodeName }) => checkIdentity(observed, settings, nodeName),
  clock: (observed) => [checkClock(observed)],
};

/** Every check once, side by side. Changes nothing that outlasts it, and works with or without a daemon. */
export async function examine(parts: ExamineParts, signal: AbortSignal): Promise<DoctorDocument> {
  const { settings, observer } = parts;
  observer.forget();
  const looked = await lookAtGround(observer, settings, signal);
  const observed = { ...looked, ...mergeFacts(looked, observer.facts(questions(looked, settings))) };
  const findings = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        return await check(observed, parts);
      } catch (error) {
        return [broken(name, error)];
      }
    }),
  );
  return summarize(findings.flat());
}

function questions(looked: ObservedGround, settings: GroundSettings): GroundQuestions {
  const identity = ['/etc/machine-id', '/var/lib/dbus/machine-id', backing(settings, '/etc/machine-id')];
  return {
    paths: cgroupPaths,
    texts: [...cgroupTexts, ...unifiedTexts(looked), initFile, '/etc/resolv.conf', ...identity],
    lists: [],
    sysctls: ['kernel.hostname'],
  };
}

async function tryKernel(observed: ObservedGround, parts: ExamineParts): Promise<readonly Finding[]> {
  const { settings, programs, probes } = parts;
  const iptables = await findIptables(programs, settings);
  const isUnified = planGround(observed, settings).strategy.cgroup === 'v2';
  const directory = probes.room(settings.dataRoot) === undefined ? settings.home : settings.dataRoot;
  const wish = {
    release: observed.release,
    isUnified,
    hasDevices: !isUnified && observed.controllers.some((row) => row.name === 'devices' && row.isEnabled),
    place: { dataDirectory: directory, iptables },
    dataFilesystem: mountCovering(observed, directory)?.fstype ?? '',
    modules: observed.modules,
    loadable: observed.loadableModules,
  };
  return [...(await checkIptables(iptables, probes)), ...(await checkKernelFeatures(probes, wish))];
}

function broken(name: string, error: unknown): Finding {
  return found(`${name}.check`, `The checks of ${name} can be made`, {
    severity: 'warning',
    seen: messageOf(error),
    wanted: 'an answer',
    why: 'Nothing is known about it',
    fix: 'run agentctl doctor as root',
  });
}
