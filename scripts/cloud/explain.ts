import { isGood, type NodeView, type SeenCondition } from './node-view.ts';

/** Says in one paragraph why a node is as it is, from everything that the cloud knows about it. */
export function explainNode(view: NodeView, nowMs: number): string {
  const { node, ready, conditions, twin, hasDevice } = view;
  const bad = conditions.filter((condition) => !isGood(condition));
  const sentences = [kubernetesSays(node, ready, nowMs)];
  if (conditions.length === 0 && twin === undefined) {
    sentences.push(silentAgent(hasDevice));
    return sentences.join(' ');
  }
  const [first, ...others] = rootsFirst(bad, twin);
  if (first === undefined) sentences.push('The agent on the board sees nothing wrong.');
  else {
    sentences.push(
      `The agent on the board says: ${first.type} is ${first.status}, ${first.reason}: ${stop(first.message)}`,
    );
    sentences.push(
      `It has been so for ${since(first.lastTransitionTime, nowMs)} and was confirmed ${since(first.lastHeartbeatTime, nowMs)} ago.`,
    );
    if (others.length > 0) {
      const list = others.map(({ type, reason }) => `${type} (${reason})`).join(', ');
      sentences.push(`Besides, or because of it: ${list}.`);
    }
  }
  if (twin !== undefined) sentences.push(twinSays(twin, first?.lastTransitionTime));
  return sentences.join(' ');
}

function kubernetesSays(node: string, ready: SeenCondition | undefined, nowMs: number): string {
  if (ready === undefined) return `Kubernetes has never heard whether ${node} is ready.`;
  const age = since(ready.lastTransitionTime, nowMs);
  if (ready.status === 'True') return `For Kubernetes ${node} has been Ready for ${age}.`;
  const why = ready.message === '' ? ready.reason : `${ready.reason}: ${ready.message}`;
  const meaning = ready.status === 'Unknown' ? 'has heard nothing from' : 'hears that something is wrong on';
  return `Kubernetes ${meaning} ${node} for ${age} (${stop(why).replace(/\.$/, '')}).`;
}

function silentAgent(hasDevice: boolean): string {
  return hasDevice
    ? 'The agent has said nothing: it does not run, has not joined, or its Device was created before the node was connected; run `npm run cloud -- install --recreate`.'
    : 'The agent has said nothing, and there is no Device for it; run `npm run cloud -- install`.';
}

/** The agent names the first cause in its twin; where it cannot, the ground comes before what stands on it. */
function rootsFirst(
  bad: readonly SeenCondition[],
  twin: Readonly<Record<string, string>> | undefined,
): readonly SeenCondition[] {
  const order = [
    'KernelReady',
    'PartsVerified',
    'BoardPrepared',
    'ClockSynced',
    'NetworkReady',
    'DockerReady',
  ];
  const named = twin?.['reason']?.split(':')[0];
  const rank = ({ type }: SeenCondition): number => {
    if (type === named) return -1;
    const place = order.indexOf(type);
    return place === -1 ? order.length : place;
  };
  return bad.toSorted((a, b) => rank(a) - rank(b));
}

/** The twin comes through edgecore: what it says may be from before edgecore failed. */
function twinSays(twin: Readonly<Record<string, string>>, faultSince: string | undefined): string {
  const parts = [
    ['dockerd', twin['dockerd']],
    ['edgecore', twin['edgecore']],
    ['last entry of its ledger', twin['ledger']],
  ].flatMap(([name, value]) => (value === undefined || value === '' ? [] : [`${name} ${value}`]));
  const at = twin['time'] === undefined ? '' : ` at ${twin['time']}`;
  const isOlder = Date.parse(twin['time'] ?? '') < Date.parse(faultSince ?? '');
  const which = isOlder ? 'Its last report before that' : 'Its last report';
  return parts.length === 0 ? '' : `${which}${at}: ${parts.join(', ')}.`;
}

/** A time span in its largest two units. */
export function since(time: string | undefined, nowMs: number): string {
  const fromMs = time === undefined ? Number.NaN : Date.parse(time);
  if (Number.isNaN(fromMs)) return 'an unknown time';
  const seconds = Math.max(0, Math.round((nowMs - fromMs) / 1_000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

function stop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
