import { isAgentError, messageOf } from '../core/agent-error.ts';
import type { HttpCaller } from '../core/http-caller.ts';
import { statusPatch } from './node-conditions.ts';
import type { NodePush } from './node-push.ts';

/** What became of a write through edgecore's own kube-API. `off`: this cloud does not pass writes on at all. */
export type MetaServerResult =
  | { readonly how: 'done' | 'off' }
  | { readonly how: 'failed'; readonly message: string };

/** Longer than the 10 s that edgecore itself waits for the cloud's dynamicController. */
const answerMs = 12_000;

/**
 * Patches the Node's status through edgecore's metaserver. Works where metaServer is on at the edge and
 * dynamicController in the cloud, which is off by default and then costs 10 s and an answer 500
 * (kubeedge/kubeedge edge/pkg/metamanager/metaserver, 1.12 to 1.23).
 */
export async function patchThroughMetaServer(
  http: HttpCaller,
  push: NodePush,
  signal: AbortSignal,
): Promise<MetaServerResult> {
  const { node, conditions, removed, wallMs } = push;
  try {
    const reply = await http.call(
      {
        method: 'PATCH',
        url: `${node.metaServer ?? ''}/api/v1/nodes/${node.node}/status`,
        headers: { 'content-type': 'application/strategic-merge-patch+json' },
        body: statusPatch(conditions, removed, wallMs),
        timeoutMs: answerMs,
      },
      signal,
    );
    if (reply.status === 200) return { how: 'done' };
    if (reply.status === 500 && !/connection lost/i.test(reply.body)) return { how: 'off' };
    return {
      how: 'failed',
      message: `edgecore's kube-API answered ${reply.status}: ${reply.body.slice(0, 200)}`,
    };
  } catch (error) {
    if (signal.aborted) throw error;
    if (isAgentError(error, 'TIMED_OUT')) return { how: 'off' };
    return { how: 'failed', message: messageOf(error) };
  }
}
