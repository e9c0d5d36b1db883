import http from 'node:http';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import type { HttpCall, HttpCaller, HttpReply } from '../core/http-caller.ts';

const maxBodyBytes = 1_048_576;

/** Calls plain HTTP servers of this machine, one connection for each call. */
export class HttpClient implements HttpCaller {
  call({ method, url, headers, body, timeoutMs }: HttpCall, signal: AbortSignal): Promise<HttpReply> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        act();
        request.destroy();
      };
      const fail = (error: unknown): void => settle(() => reject(error as Error));
      const abort = (): void => fail(signal.reason);
      const timer = setTimeout(() => {
        fail(new AgentError('TIMED_OUT', `Cannot call "${url}": no complete answer within ${timeoutMs} ms`));
      }, timeoutMs);
      const bytes = body === undefined ? undefined : Buffer.from(body);
      const length = bytes === undefined ? {} : { 'content-length': bytes.length };
      const request = http.request(
        url,
        { method, headers: { ...headers, ...length }, agent: false },
        (response) => {
          read(response).then(
            (text) => settle(() => resolve({ status: response.statusCode ?? 0, body: text })),
            fail,
          );
        },
      );
      request.on('error', (error) => {
        const why = errnoOf(error) ?? messageOf(error);
        fail(new AgentError('AGENT_UNREACHABLE', `Cannot call "${url}": ${why}`, { cause: error }));
      });
      signal.addEventListener('abort', abort, { once: true });
      request.end(bytes);
    });
  }
}

async function read(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = chunk as Buffer;
    chunks.push(bytes.subarray(0, Math.max(0, maxBodyBytes - size)));
    size += bytes.length;
    if (size >= maxBodyBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
