import { AgentError } from '../core/agent-error.ts';
import type { Route } from './route.ts';

/** Longest path with query that is looked at. */
const maxTargetLength = 4_096;

/** A route and what the request's path and query say, taken apart but not checked. */
export interface Found {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

/** Finds the route of a method and target; NOT_FOUND, METHOD_NOT_ALLOWED or REQUEST_INVALID where there is none. */
export function findRoute(routes: readonly Route[], method: string, target: string): Found {
  if (target.length > maxTargetLength) {
    throw new AgentError(
      'TOO_LARGE',
      `Cannot read the path: it has ${target.length} characters, want at most ${maxTargetLength}`,
    );
  }
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const parts = path.split('/');
  const matching = routes.filter((route) => isMatch(route, parts));
  const route = matching.find((row) => row.method === method);
  if (route === undefined) throw noRoute(matching, method, path);
  const query = readQuery(mark === -1 ? '' : target.slice(mark + 1));
  return { route, params: readParams(route, parts), query };
}

function isMatch(route: Route, parts: readonly string[]): boolean {
  if (route.parts.length !== parts.length) return false;
  return route.parts.every((part, index) => part.startsWith(':') || part === parts[index]);
}

function noRoute(matching: readonly Route[], method: string, path: string): AgentError {
  const shown = JSON.stringify(path.slice(0, 100));
  if (matching.length === 0) {
    return new AgentError('NOT_FOUND', `Cannot find ${shown}: no such route in version 1 of the API`);
  }
  const wanted = matching.map((row) => row.method).join(' or ');
  return new AgentError(
    'METHOD_NOT_ALLOWED',
    `Cannot ${JSON.stringify(method.slice(0, 20))} ${shown}: want ${wanted}`,
  );
}

function readParams(route: Route, parts: readonly string[]): Record<string, string> {
  const pairs = route.parts.flatMap((part, index) =>
    part.startsWith(':') ? [[part.slice(1), decode(parts[index] ?? '')] as const] : [],
  );
  return Object.fromEntries(pairs);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new AgentError('REQUEST_INVALID', 'Cannot read the path: it is not valid percent-encoding', {
      cause: error,
    });
  }
}

function readQuery(text: string): Record<string, string> {
  if (text === '') return {};
  const pairs = [...new URLSearchParams(text)];
  const names = pairs.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new AgentError('REQUEST_INVALID', `Cannot use the query: ${twice.slice(0, 60)} is given twice`);
  }
  return Object.fromEntries(pairs);
}
