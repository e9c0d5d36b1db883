import type { JoinDocument, StepView } from '../api/wire.ts';
import type { Clock } from '../core/clock.ts';
import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { Note } from '../core/unit-spec.ts';
import { type CloudAddress, joinHostPort } from './cloud-address.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import type { EdgeExecutor } from './edge-executor.ts';
import type { EdgeConfig } from './edge-options.ts';
import type { EdgePlaces } from './edge-places.ts';
import { type EdgeStep, planJoin } from './edge-plan.ts';
import { type EdgeUnits, isActive, isRunning } from './edge-units.ts';
import { JoinBackup } from './join-backup.ts';
import { type LookPorts, lookBeforeJoin, portsOf } from './join-look.ts';
import { type JoinOrder, parseJoinOrder } from './join-order.ts';
import { type NodeRecord, type NodeRecords, recordedRelease } from './node-record.ts';
import { PendingJoin } from './pending-join.ts';
import { isOtherCluster, type JoinFacts, type JoinProblem, preflight } from './preflight.ts';
import { knownMinors, type Release } from './release.ts';
import type { EdgecoreProgram, ReleaseFinder } from './release-finder.ts';
import { settingsFor } from './settings-for.ts';
import { undoing } from './start-faults.ts';
import type { EdgeSettings } from './wanted-values.ts';

/** What joining needs. */
export interface JoinerPorts extends LookPorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly log: Log;
  readonly config: EdgeConfig;
  readonly places: EdgePlaces;
  readonly keeper: ConfigKeeper;
  readonly records: NodeRecords;
  readonly finder: ReleaseFinder;
  readonly executor: EdgeExecutor;
  readonly units: () => EdgeUnits;
}

/** How a join is to be done. */
export interface JoinOptions {
  /** Whether to wait until edgecore has its certificate, and to undo everything where the cloud refuses it, by and by. */
  readonly waits: boolean;
}

type Found = Awaited<ReturnType<ReleaseFinder['find']>>;

interface Candidate {
  readonly order: JoinOrder;
  readonly found: Found;
  readonly settings: EdgeSettings;
  readonly record: NodeRecord | undefined;
  readonly running: boolean;
}

interface Prepared {
  readonly order: JoinOrder;
  readonly program: EdgecoreProgram;
  readonly settings: EdgeSettings;
  readonly record: NodeRecord | undefined;
  readonly facts: JoinFacts;
  readonly warnings: readonly JoinProblem[];
  readonly steps: readonly EdgeStep[];
  readonly kept: readonly string[];
}

/** Carries out an order to join: look, check, plan, and only then change something. */
export class Joiner {
  readonly #ports: JoinerPorts;
  #left: JoinBackup | undefined;
  #pending: PendingJoin | undefined;

  constructor(ports: JoinerPorts) {
    this.#ports = ports;
  }

  /** Why edgecore has to wait where a join that an earlier agent began is to be taken back first: until then nobody knows what this board is. */
  get held(): Note | undefined {
    return this.#left?.isDone === false ? undoing : undefined;
  }

  /** Looks for a join that an earlier agent did not bring to its end; must be done before the supervision starts. */
  async open(): Promise<void> {
    this.#left = await JoinBackup.find(this.#ports);
  }

  /** Takes back what an earlier agent began, or waits on for the cloud's answer to it, in the background. */
  async resume(): Promise<void> {
    const left = this.#left;
    if (left === undefined) return;
    this.#left = undefined;
    if (left.isDone) this.#pending = new PendingJoin(this.#ports, left);
    else await left.restore();
  }

  /** Stops waiting for the cloud's answer; the next agent goes on. */
  async stop(): Promise<void> {
    await this.#pending?.stop();
  }

  /** A board that leaves goes back to no cluster before. */
  async forget(): Promise<void> {
    await this.resume();
    await this.#pending?.stop();
    this.#pending = undefined;
    await (await JoinBackup.find(this.#ports))?.discard();
  }

  /** Joins, or says everything that stands in the way and changes nothing. */
  async join(raw: unknown, options: JoinOptions, signal: AbortSignal): Promise<JoinDocument> {
    const parsed = parseJoinOrder(raw);
    if (!parsed.ok) return refused(parsed.problems.map(({ field, problem }) => invalid(field, problem)));
    await this.resume();
    let prepared = await this.#prepare(parsed.order, signal);
    if (!('problems' in prepared) && parsed.order.dryRun !== true && this.#pending !== undefined) {
      await this.#pending.conclude();
      this.#pending = undefined;
      prepared = await this.#prepare(parsed.order, signal);
    }
    if ('problems' in prepared) return prepared;
    const document = documentOf(prepared);
    if (parsed.order.dryRun === true) return { ...document, dryRun: true };
    return this.#perform(prepared, document, { ...options, signal });
  }

  async #perform(
    prepared: Prepared,
    document: JoinDocument,
    { waits, signal }: JoinOptions & { readonly signal: AbortSignal },
  ): Promise<JoinDocument> {
    const { executor } = this.#ports;
    const before = await JoinBackup.take(this.#ports, prepared.record, prepared.steps);
    try {
      await executor.run(prepared.steps, { ...prepared, token: prepared.order.token?.secret }, signal);
      if (waits) await before.complete();
      else await before.discard();
    } catch (error) {
      await before.restore();
      throw error;
    }
    if (!waits) return { ...document, joined: true, outcome: started };
    const pending = new PendingJoin(this.#ports, before);
    this.#pending = pending;
    const kept = executor.config?.kept ?? document.kept;
    return { ...document, kept, ...(await unlessAborted(pending.outcome, signal)) };
  }

  async #prepare(order: JoinOrder, signal: AbortSignal): Promise<Prepared | JoinDocument> {
    const { config, finder, records, places, units } = this.#ports;
    const record = await records.read();
    const found = await finder.find(config['edgecore.binary'], order.release ?? recordedRelease(record));
    const release = found.ok ? found.release : (order.release ?? assumed);
    const nodeIp = await this.#nodeIp(order.cloud ?? record?.cloud);
    const result = settingsFor({ order, record, config, release, places, nodeIp });
    if (!result.ok) {
      const wrong = result.problems.map(({ field, problem }) => invalid(field, problem));
      return refused([...programProblem(found), ...wrong]);
    }
    const running = isRunning(units(), 'edgecore');
    const checked = await this.#check({ order, found, settings: result.settings, record, running }, signal);
    if (found.ok && !checked.problems.some(({ severity }) => severity === 'error')) {
      const { problems: warnings, facts, kept } = checked;
      const { settings } = result;
      return this.#plan({ order, program: found, settings, record, facts, warnings, kept });
    }
    return {
      ...refused(checked.problems),
      dryRun: order.dryRun ?? false,
      ...names(result.settings, release),
    };
  }

  async #nodeIp(cloud: CloudAddress | undefined): Promise<string | undefined> {
    if (cloud === undefined) return undefined;
    return this.#ports.net.sourceAddress({ host: cloud.host, port: cloud.hubPort });
  }

  async #check(
    { order, found, settings, record, running }: Candidate,
    signal: AbortSignal,
  ): Promise<Pick<Prepared, 'facts' | 'kept'> & { readonly problems: readonly JoinProblem[] }> {
    const { config, keeper } = this.#ports;
    const preview = found.ok ? await keeper.preview(found, settings) : undefined;
    const ports = running || preview === undefined ? [] : portsOf(preview.tree);
    const known = { program: found, record, settings, hasDockerd: config['dockerd.enabled'], ports };
    const facts = await lookBeforeJoin(known, this.#ports, signal);
    return { facts, kept: preview?.kept ?? [], problems: preflight(facts, order, settings) };
  }

  async #plan(before: Omit<Prepared, 'steps'>): Promise<Prepared> {
    const { clock, config, files, places, units } = this.#ports;
    const { order, program, settings, record, facts, kept } = before;
    const steps = planJoin(
      {
        settings,
        release: program.release,
        record,
        isEnrolling: order.token !== undefined,
        hasCertificates: facts.certificate !== undefined,
        isOtherCluster: isOtherCluster(facts, settings),
        isActive: isActive(units(), 'edgecore'),
        cni: facts.cni,
        installedPlugins: await files.list(places.cniBinDir).catch(() => []),
        podSubnet: config['edgecore.podSubnet'],
        kept,
        kubeedge: order.release?.text ?? record?.kubeedge,
        nowMs: clock.wallMs(),
      },
      places,
    );
    return { ...before, steps };
  }
}

const started = { reason: 'Started', message: 'edgecore was set up and is being started' };
/** Stands in for a release that could not be told, so that the other problems can be named too. */
const assumed: Release = {
  minor: knownMinors.last,
  patch: undefined,
  text: `v1.${knownMinors.last}`,
  source: 'defaults',
};

/** The result, or the signal's reason as soon as it aborts; what is waited for goes on. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    const gone = (): void => reject(signal.reason as Error);
    if (signal.aborted) gone();
    signal.addEventListener('abort', gone, { once: true, signal: over.signal });
  });
  return Promise.race([work, aborted]).finally(() => over.abort());
}

function programProblem(found: Found): readonly JoinProblem[] {
  if (found.ok) return [];
  return [{ severity: 'error', reason: found.fault.reason, message: found.fault.message }];
}

function invalid(field: string, problem: string): JoinProblem {
  return { severity: 'error', reason: 'OrderInvalid', message: `Cannot use "${field}": ${problem}` };
}

function refused(problems: readonly JoinProblem[]): JoinDocument {
  return { joined: false, dryRun: false, problems, steps: [], kept: [] };
}

function names(
  settings: EdgeSettings,
  release: Release,
): Pick<Required<JoinDocument>, 'node' | 'cloud' | 'kubeedge' | 'runtime'> {
  const { node, cloud, runtime } = settings;
  return {
    node,
    cloud: joinHostPort(cloud.host, cloud.hubPort),
    kubeedge: release.text,
    runtime: runtime.kind,
  };
}

function documentOf({ settings, program, warnings, steps, kept }: Prepared): JoinDocument {
  return {
    joined: false,
    dryRun: false,
    ...names(settings, program.release),
    problems: warnings,
    steps: steps.map(view),
    kept,
  };
}

/** A step as others see it. */
export function view({ id, kind, what, why }: EdgeStep): StepView {
  return { id, kind, what, why };
}
