import type { Finding, Severity } from '../api/wire.ts';
import type { Clock } from '../core/clock.ts';
import type { CloudProbe } from '../core/cloud-probe.ts';
import type { Files } from '../core/files.ts';
import type { LocalNet } from '../core/local-net.ts';
import type { Fault } from '../core/unit-spec.ts';
import type { HealthBoard } from '../health/board.ts';
import type { EdgeConfig } from './edge-options.ts';
import type { EdgePlaces } from './edge-places.ts';
import { parseEdgecoreConfig } from './edgecore-yaml.ts';
import { lookBeforeJoin } from './join-look.ts';
import { type NodeRecord, recordedRelease } from './node-record.ts';
import { type JoinProblem, preflight } from './preflight.ts';
import type { ReleaseFinder } from './release-finder.ts';
import { settingsOfRecord } from './settings-for.ts';

/** What an examination looks with. */
export interface ExamineEdgePorts {
  readonly config: EdgeConfig;
  readonly places: EdgePlaces;
  readonly clock: Clock;
  readonly files: Files;
  readonly net: LocalNet;
  readonly cloud: CloudProbe;
  readonly board: HealthBoard;
  readonly finder: ReleaseFinder;
  readonly record: NodeRecord | undefined;
  /** What ended edgecore or kept it from starting last, where it is not ready since. */
  readonly lastFault: Fault | undefined;
}

const title = 'This board is a node of its cluster';

/** Conditions of this room, and what a bad one means for the user. */
const consequences: Readonly<Record<string, string>> = {
  EdgecoreReady: 'The node is NotReady and gets no pods',
  CloudConnected: 'The cloud takes the node for lost and moves its pods away after five minutes',
  CertificateValid: 'The cloud refuses this node from then on',
  JoinedByFile: 'The board does not join its cluster',
};

/** Every check of the edge node once. Changes nothing; asks the cloud a few questions. */
export async function examineEdge(ports: ExamineEdgePorts, signal: AbortSignal): Promise<readonly Finding[]> {
  const { record, config, files, places } = ports;
  if (record === undefined) return conditionFindings(ports.board);
  const program = await ports.finder.find(config['edgecore.binary'], recordedRelease(record));
  const settings = settingsOfRecord(record, undefined);
  const known = { program, record, settings, hasDockerd: config['dockerd.enabled'], ports: [] };
  const facts = await lookBeforeJoin(known, ports, signal);
  const order = { cloud: undefined, token: undefined, taints: undefined, release: undefined };
  const problems = preflight(facts, order, settings);
  return [
    ...conditionFindings(ports.board),
    ...faultFindings(ports),
    ...problems.map(problemFinding),
    ...(await configFindings(files, places)),
    ...(problems.length === 0 ? [fine(record)] : []),
  ];
}

function conditionFindings(board: HealthBoard): readonly Finding[] {
  return Object.entries(consequences).flatMap(([type, why]) => {
    const condition = board.get(type);
    if (condition === undefined || condition.status === 'true') return [];
    const { seen, fix } = apart(condition.message);
    const severity: Severity = condition.reason === 'ExpiresSoon' ? 'warning' : 'error';
    return [
      {
        id: `edge.${condition.reason}`,
        severity,
        title: `${type}: ${condition.reason}`,
        seen,
        wanted: 'true',
        why,
        fix,
      },
    ];
  });
}

/** Between two tries the condition says that edgecore starts, and after some that it is a crash loop: neither is the cause. */
function faultFindings({ board, lastFault }: ExamineEdgePorts): readonly Finding[] {
  const condition = board.get('EdgecoreReady');
  const isNews =
    condition !== undefined && condition.status !== 'true' && condition.reason !== lastFault?.reason;
  if (lastFault === undefined || !isNews) return [];
  const { reason, message } = lastFault;
  const { seen, fix } = apart(message);
  const why = 'edgecore ended or could not be started for this the last time';
  return [{ id: `edge.${reason}`, severity: 'error', title: reason, seen, wanted: 'it runs', why, fix }];
}

function problemFinding({ severity, reason, message }: JoinProblem): Finding {
  const { seen, fix } = apart(message);
  const why = 'A join would be refused for this, and a node that has joined may stop working';
  return { id: `edge.${reason}`, severity, title: reason, seen, wanted: 'nothing in the way', why, fix };
}

async function configFindings(files: Files, { configFile }: EdgePlaces): Promise<readonly Finding[]> {
  const text = await files.read(configFile).catch(() => undefined);
  const parsed = text === undefined ? undefined : parseEdgecoreConfig(text);
  if (parsed === undefined || parsed.ok) return [];
  return [
    {
      id: 'edge.ConfigUnreadable',
      severity: 'error',
      title: 'edgecore.yaml can be read',
      seen: `${configFile} ${parsed.problem}`,
      wanted: 'YAML with "modules"',
      why: 'edgecore does not start with it',
      fix: 'correct it, or restart edgecore: the last good file comes back and yours is kept beside it',
    },
  ];
}

function fine({ node, cloud }: NodeRecord): Finding {
  return {
    id: 'edge.node',
    severity: 'ok',
    title,
    seen: `${node} at ${cloud.host}`,
    wanted: 'joined',
    why: '',
    fix: '',
  };
}

/** Messages of this house end with the fix after a semicolon. */
function apart(message: string): { readonly seen: string; readonly fix: string } {
  const at = message.indexOf('; ');
  return at === -1
    ? { seen: message, fix: 'see `agentctl logs edgecore`' }
    : { seen: message.slice(0, at), fix: message.slice(at + 2) };
}
