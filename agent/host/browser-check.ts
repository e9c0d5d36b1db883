import type { IncomingHttpHeaders } from 'node:http';
import type { ApiAnswer } from '../core/api-port.ts';

/** Names under which local programs call the agent: agentctl says `agent`, curl over the socket `localhost`. */
const localHosts = new Set(['agent', 'localhost']);

/**
 * Refuses what only a browser or a confused proxy sends: a page somebody looks at must never be able to drive the agent
 * through a forwarded port. A body must be declared as JSON, which a plain HTML form cannot do.
 */
export function refusalOf(headers: IncomingHttpHeaders, hasBody: boolean): ApiAnswer | undefined {
  const sign = ['origin', 'referer', 'sec-fetch-site', 'access-control-request-method'].find(
    (name) => headers[name] !== undefined,
  );
  if (sign !== undefined) return refuse(403, 'FORBIDDEN', `the request carries "${sign}" as from a browser`);
  const host = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (!localHosts.has(host)) return refuse(403, 'FORBIDDEN', 'the Host is not "agent" or "localhost"');
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (hasBody && type !== 'application/json') {
    return refuse(400, 'REQUEST_INVALID', 'the body is not declared as application/json');
  }
  return undefined;
}

function refuse(status: number, code: string, fact: string): ApiAnswer {
  return { status, body: { error: { code, message: `Cannot take the request: ${fact}; use agentctl` } } };
}
