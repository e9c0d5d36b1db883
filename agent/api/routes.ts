import { AgentError } from '../core/agent-error.ts';
import { collectLines } from './collect-lines.ts';
import {
  eventsQuery,
  joinBody,
  leaveBody,
  ledgerQuery,
  logQuery,
  selftestBody,
  shutdownBody,
} from './input.ts';
import { answer, type Route, stream } from './route.ts';
import { followLogs, watchStatus } from './streams.ts';
import type { EdgeVerbs, Verbs } from './verbs.ts';

function edgeOf({ edge }: Verbs): EdgeVerbs {
  if (edge !== undefined) return edge;
  throw new AgentError('NOT_FOUND', 'Cannot speak of clusters: this agent supervises no edgecore');
}

/** The whole API of version 1, one row a route: rows are added, never changed or removed. */
export const routes: readonly Route[] = [
  answer({ method: 'GET', path: '/v1/version', needs: 'observe', handle: ({ verbs }) => verbs.version() }),
  answer({ method: 'GET', path: '/v1/status', needs: 'observe', handle: ({ verbs }) => verbs.status() }),
  stream({ path: '/v1/watch', needs: 'observe', stream: ({ verbs }) => watchStatus(verbs) }),
  answer({
    method: 'GET',
    path: '/v1/events',
    needs: 'observe',
    query: eventsQuery,
    handle: ({ verbs, query }) => ({ events: verbs.eventsAfter(query.after) }),
  }),
  answer({
    method: 'GET',
    path: '/v1/ledger',
    needs: 'observe',
    query: ledgerQuery,
    handle: ({ verbs, query }) => ({ records: verbs.ledger?.(query.after, query.n) ?? [] }),
  }),
  answer({
    method: 'GET',
    path: '/v1/samples',
    needs: 'observe',
    handle: ({ verbs }) => verbs.samples?.() ?? { samples: [] },
  }),
  answer({
    method: 'GET',
    path: '/v1/plan',
    needs: 'observe',
    handle: ({ verbs, signal }) => verbs.plan(signal),
  }),
  answer({
    method: 'POST',
    path: '/v1/apply',
    needs: 'operate',
    survives: true,
    handle: ({ verbs, signal }) => verbs.apply(signal),
  }),
  answer({
    method: 'POST',
    path: '/v1/undo',
    needs: 'operate',
    survives: true,
    handle: ({ verbs, signal }) => verbs.undo(signal),
  }),
  answer({
    method: 'GET',
    path: '/v1/doctor',
    needs: 'observe',
    handle: ({ verbs, signal }) => verbs.doctor(signal),
  }),
  answer({
    method: 'POST',
    path: '/v1/units/:name/start',
    needs: 'operate',
    survives: true,
    handle: ({ verbs, unit, signal }) => verbs.startUnit(unit, signal),
  }),
  answer({
    method: 'POST',
    path: '/v1/units/:name/stop',
    needs: 'operate',
    survives: true,
    handle: ({ verbs, unit, signal }) => verbs.stopUnit(unit, signal),
  }),
  answer({
    method: 'POST',
    path: '/v1/units/:name/restart',
    needs: 'operate',
    survives: true,
    handle: ({ verbs, unit, signal }) => verbs.restartUnit(unit, signal),
  }),
  answer({
    method: 'GET',
    path: '/v1/edge',
    needs: 'observe',
    handle: ({ verbs }) => edgeOf(verbs).status(),
  }),
  answer({
    method: 'POST',
    path: '/v1/edge/join',
    needs: 'operate',
    survives: true,
    body: joinBody,
    handle: ({ verbs, body, signal }) => edgeOf(verbs).join(body, signal),
  }),
  answer({
    method: 'POST',
    path: '/v1/edge/leave',
    needs: 'operate',
    survives: true,
    body: leaveBody,
    handle: ({ verbs, body, signal }) => edgeOf(verbs).leave(body, signal),
  }),
  answer({
    method: 'GET',
    path: '/v1/logs',
    needs: 'observe',
    query: logQuery,
    handle: ({ verbs, query, signal }) => collectLines(verbs.logs(query, signal)),
  }),
  stream({
    path: '/v1/logs/follow',
    needs: 'observe',
    query: logQuery,
    stream: ({ verbs, query }) => followLogs(verbs, query),
  }),
  answer({
    method: 'POST',
    path: '/v1/selftest',
    needs: 'operate',
    body: selftestBody,
    handle: ({ verbs, body, signal }) => verbs.selftest(body, signal),
  }),
  answer({
    method: 'POST',
    path: '/v1/shutdown',
    needs: 'operate',
    survives: true,
    body: shutdownBody,
    handle: ({ verbs, body, signal }) => verbs.shutdown(body, signal),
  }),
];
