import { AgentError, messageOf } from '../../agent/core/agent-error.ts';
import { routerPaths } from './manifests.ts';

/** Where the router is and whom it asks. */
export interface RouterTarget {
  /** Such as `http://192.168.1.10:9443`. */
  readonly router: string;
  readonly namespace: string;
  readonly node: string;
}

/** The router itself would wait for three minutes. */
const answerMs = 8_000;

/** Address of a question, e.g. for `logs/dockerd?limit=20`. */
export function questionUrl({ router, namespace, node }: RouterTarget, question: string): string {
  const suffix = question === '' || question === 'status' ? '' : `/${question.replace(/^\/+/, '')}`;
  return `${router.replace(/\/+$/, '')}/${node}/${namespace}${routerPaths.health}${suffix}`;
}

/** Asks one board and returns its answer as text. What KubeEdge's router answers in its place becomes a reason. */
export async function askNode(target: RouterTarget, question: string): Promise<string> {
  return exchange(questionUrl(target, question), { method: 'GET' }, target);
}

/** Hands a signed command to a board. The router only says that it passed it on. */
export async function sendCommand(target: RouterTarget, command: string): Promise<string> {
  const { router, namespace, node } = target;
  const url = `${router.replace(/\/+$/, '')}/${node}/${namespace}${routerPaths.command}`;
  return exchange(url, { method: 'POST', body: command }, target);
}

async function exchange(url: string, init: RequestInit, { node, router }: RouterTarget): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal: AbortSignal.timeout(answerMs) });
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') {
      const why =
        'the node is not connected (clouds before 1.18 do not say so), the agent does not run, query.enabled is off, or serviceBus is off in edgecore.yaml';
      throw new AgentError('TIMED_OUT', `Cannot ask ${node}: no answer within ${answerMs} ms; ${why}`, {
        cause: error,
      });
    }
    const cause =
      error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    const fix = 'is modules.router.enable true in cloudcore, and its port 9443 reachable?';
    throw new AgentError('AGENT_UNREACHABLE', `Cannot reach the router ${router}: ${cause}; ${fix}`, {
      cause: error,
    });
  }
  const body = await response.text();
  if (response.status === 200) return body;
  throw refusal(node, response.status, body);
}

/** Answers of cloudcore's router (kubeedge/kubeedge cloud/pkg/router/listener/http.go and provider/, 1.12 to 1.23). */
function refusal(node: string, status: number, body: string): AgentError {
  if (status === 404) {
    return new AgentError(
      'NOT_FOUND',
      `Cannot ask ${node}: the router knows no such rule; run \`npm run cloud -- install\``,
    );
  }
  if (/doesn't have session|no corresponding cloudcore/.test(body)) {
    const text = `Cannot ask ${node}: it has no session with the cloud; while edgecore is down only its conditions speak, see \`npm run cloud -- explain ${node}\``;
    return new AgentError('AGENT_UNREACHABLE', text);
  }
  return new AgentError(
    'TOOL_FAILED',
    `Cannot ask ${node}: the router answered ${status} ${body.slice(0, 200).trim()}`,
  );
}
