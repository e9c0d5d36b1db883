import type { Clock } from '../core/clock.ts';
import type { LocalNet } from '../core/local-net.ts';
import type { UnitLogs } from '../core/unit-logs.ts';
import type { Health, Note, ProbeDepth } from '../core/unit-spec.ts';
import { within } from '../core/within.ts';
import { explainMissingLink } from './link-faults.ts';
import { explainStoppedModules } from './stopped-modules.ts';
import { type Tree, valueAt } from './tree.ts';

/** What is asked, read from the edgecore.yaml that the process was started with. */
export interface ProbeTarget {
  readonly configFile: string;
  /** Port of /healthz; undefined where edged is switched off. */
  readonly healthPort: number | undefined;
  /** Port of CloudHub; undefined where edgeHub is switched off. */
  readonly hubPort: number | undefined;
}

/** What a probe saw. */
export interface EdgecoreSight {
  readonly isHealthy: boolean;
  readonly isLinked: boolean;
  /** Why there is no link, where there is none. */
  readonly missingLink: Note | undefined;
  /** Why its modules have stopped, where they have. */
  readonly stopped: Note | undefined;
}

/** What is asked with. */
export interface ProbePorts {
  readonly clock: Clock;
  readonly net: LocalNet;
  readonly logs: Pick<UnitLogs, 'lines'>;
}

/**
 * A process without link and without health for so long, in milliseconds, is the zombie whose modules have all stopped
 * (kubeedge/kubeedge edge/pkg/metamanager/metaserver/server.go): only a signal ends it.
 */
const zombieMs = 180_000;
const linkLines = 80;
/** The kubelet says much in its first seconds. */
const logLines = 400;
const healthMs = 3_000;

/** Asks a running edgecore. A cloud that is away alone never makes it silent: it must not be restarted for that. */
export class EdgecoreProbe {
  readonly #ports: ProbePorts;
  #deadSinceMs: number | undefined;
  #hasSeenStopped = false;

  constructor(ports: ProbePorts) {
    this.#ports = ports;
  }

  /** Forgets what an earlier process was like. */
  reset(): void {
    this.#deadSinceMs = undefined;
    this.#hasSeenStopped = false;
  }

  /** Looks at health and link; the log is read where something is missing, and for all but the cheapest question. */
  async look(target: ProbeTarget, signal: AbortSignal, depth: ProbeDepth = 'start'): Promise<EdgecoreSight> {
    const [isHealthy, isLinked] = await Promise.all([
      this.#isHealthy(target, signal),
      this.#isLinked(target),
    ]);
    const lines = isLinked && depth === 'cheap' ? [] : await this.#lastLines(signal);
    const missingLink = isLinked ? undefined : explainMissingLink(lines.slice(-linkLines));
    return { isHealthy, isLinked, missingLink, stopped: explainStoppedModules(lines) };
  }

  /** Turns what was seen into a verdict. */
  judge({ isHealthy, isLinked, missingLink, stopped }: EdgecoreSight): Health {
    if (stopped !== undefined) return this.#judgeStopped(stopped);
    if (isHealthy || isLinked) this.#deadSinceMs = undefined;
    if (isHealthy && isLinked) return { verdict: 'ready' };
    if (isHealthy) {
      return { verdict: 'unready', hasStarted: true, ...(missingLink ?? connecting) };
    }
    if (isLinked) {
      const message =
        'edgecore is connected, but the kubelet inside does not answer on 127.0.0.1:10350/healthz yet';
      return { verdict: 'unready', reason: 'KubeletNotHealthy', message };
    }
    const nowMs = this.#ports.clock.nowMs();
    this.#deadSinceMs ??= nowMs;
    const deadMs = nowMs - this.#deadSinceMs;
    if (deadMs < zombieMs) {
      return {
        verdict: 'unready',
        reason: 'NotAnswering',
        message: 'edgecore runs, but neither answers nor is connected',
      };
    }
    const message = `edgecore has neither answered nor been connected for ${Math.round(deadMs / 1000)} s: its modules have stopped`;
    return { verdict: 'silent', reason: 'Zombie', message };
  }

  /** Only a signal ends it. The start is over, so it may be called silent from the next look on. */
  #judgeStopped(stopped: Note): Health {
    if (this.#hasSeenStopped) return { verdict: 'silent', ...stopped };
    this.#hasSeenStopped = true;
    return { verdict: 'unready', hasStarted: true, ...stopped };
  }

  async #isHealthy({ healthPort }: ProbeTarget, signal: AbortSignal): Promise<boolean> {
    if (healthPort === undefined) return true;
    const { clock, net } = this.#ports;
    const ask = (until: AbortSignal) => net.get(`http://127.0.0.1:${healthPort}/healthz`, until);
    const answer = await within(clock, healthMs, ask, { signal });
    return answer?.status === 200;
  }

  async #isLinked({ hubPort, configFile }: ProbeTarget): Promise<boolean> {
    if (hubPort === undefined) return true;
    return this.#ports.net.isConnectedTo(hubPort, configFile);
  }

  async #lastLines(signal: AbortSignal): Promise<readonly string[]> {
    const lines: string[] = [];
    try {
      for await (const line of this.#ports.logs.lines({ unit: 'edgecore', count: logLines }, signal))
        lines.push(line.text);
    } catch {
      return lines;
    }
    return lines;
  }
}

const connecting: Note = { reason: 'Connecting', message: 'edgecore has no session with the cloud yet' };

/** Ports to ask, from a configuration; what is missing there has edgecore's default. */
export function probeTarget(configFile: string, tree: Tree | undefined): ProbeTarget {
  const at = (...path: readonly string[]): unknown => valueAt(tree, ['modules', ...path]);
  const server = at('edgeHub', 'websocket', 'server');
  const hubPort = Number(/:(\d+)$/.exec(typeof server === 'string' ? server : '')?.[1] ?? 10_000);
  const healthPort = at('edged', 'tailoredKubeletConfig', 'readOnlyPort');
  return {
    configFile,
    healthPort:
      at('edged', 'enable') === false
        ? undefined
        : typeof healthPort === 'number' && healthPort > 0
          ? healthPort
          : 10_350,
    hubPort: at('edgeHub', 'enable') === false ? undefined : hubPort,
  };
}
