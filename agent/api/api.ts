import { AgentError, errorTable, isAbort, isAgentError, messageOf } from '../core/agent-error.ts';
import type { Api, ApiAnswer, ApiRequest, StreamOpening } from '../core/api-port.ts';
import type { Log } from '../core/log.ts';
import { type Found, findRoute } from './find-route.ts';
import { routes } from './routes.ts';
import type { Verbs } from './verbs.ts';
import type { ErrorDocument } from './wire.ts';

/** What the API is made of. */
export interface ApiParts {
  readonly verbs: Verbs;
  readonly log: Log;
}

/** A signal that never aborts, for work that must not stop halfway. */
const never = new AbortController().signal;

/** Makes the API: requests in, answers out, no socket anywhere. */
export function createApi({ verbs, log }: ApiParts): Api {
  return {
    async handle(request) {
      try {
        return { status: 200, body: await answerRequest(verbs, request) };
      } catch (error) {
        return answerOf(error, request, log);
      }
    },
    open(request): StreamOpening {
      try {
        const { route, params, query } = find(request);
        if (route.kind !== 'stream') throw noStream(route.path);
        return {
          how: 'opened',
          start: route.run({ verbs, params, query, body: {}, signal: request.signal }),
        };
      } catch (error) {
        return { how: 'refused', answer: answerOf(error, request, log) };
      }
    },
  };
}

/** Answer of an error: the table decides the status; what is no AgentError is a bug and is told to the log only. */
function answerOf(
  error: unknown,
  request: Pick<ApiRequest, 'method' | 'target'>,
  log: Pick<Log, 'error'>,
): ApiAnswer {
  if (isAgentError(error)) return errorAnswer(error);
  if (isAbort(error)) {
    return errorAnswer(new AgentError('TIMED_OUT', 'Cannot finish the request: the asker has gone'));
  }
  const { method, target } = request;
  const stack = error instanceof Error ? error.stack?.slice(0, 2_000) : undefined;
  log.error('api.request.failed', { method, target: target.slice(0, 200), error: messageOf(error), stack });
  return errorAnswer(
    new AgentError('BUG', 'Cannot finish the request: internal error; see `agentctl logs agent`'),
  );
}

function errorAnswer(error: AgentError): ApiAnswer {
  const body: ErrorDocument = { error: { code: error.code, message: error.message } };
  return { status: errorTable[error.code].http, body };
}

function answerRequest(verbs: Verbs, request: ApiRequest): unknown {
  const { route, params, query } = find(request);
  if (route.kind === 'stream') {
    throw new AgentError(
      'METHOD_NOT_ALLOWED',
      `Cannot GET ${route.path}: it is a WebSocket; upgrade the connection`,
    );
  }
  const signal = route.survives ? never : request.signal;
  return route.run({ verbs, params, query, body: readBody(request), signal });
}

/** The route of a request that its way in allows. */
function find(request: ApiRequest): Found {
  const found = findRoute(routes, request.method, request.target);
  const { needs, path } = found.route;
  if (request.may.includes(needs)) return found;
  throw new AgentError(
    'FORBIDDEN',
    `Cannot ${request.method} ${path}: questions are answered here, nothing is changed; run agentctl as root on the board, without --socket`,
  );
}

function noStream(path: string): AgentError {
  return new AgentError('METHOD_NOT_ALLOWED', `Cannot open ${path} as a WebSocket: want an ordinary request`);
}

function readBody({ body }: ApiRequest): unknown {
  if (body === '') return {};
  const value = parseJson(body);
  // The shapes look at keys only, and a list has none.
  if (!Array.isArray(value)) return value;
  throw new AgentError('REQUEST_INVALID', 'Cannot use the body: it is a list, want an object');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's own words would quote the body, and a body may hold a token.
    throw new AgentError('REQUEST_INVALID', 'Cannot read the body: it is not JSON', { cause: error });
  }
}
