import http from 'node:http';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import type { DockerAnswer, DockerApi, DockerRequest } from '../core/docker.ts';

const maxBodyBytes = 4_194_304;

/** Docker Engine API over a Unix socket. One connection for each request: nothing is kept open, nothing can leak. */
export class DockerClient implements DockerApi {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  request(request: DockerRequest, signal: AbortSignal): Promise<DockerAnswer> {
    const { method, path, timeoutMs } = request;
    const name = `${method} ${path}`;
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const { bytes, headers } = encodeBody(request.body);
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        act();
        exchange.destroy();
      };
      const fail = (error: unknown): void => settle(() => reject(error as Error));
      const abort = (): void => fail(signal.reason);
      const timer = setTimeout(() => {
        const text = `Cannot ask dockerd "${name}": no complete answer within ${timeoutMs} ms`;
        fail(new AgentError('TIMED_OUT', text));
      }, timeoutMs);
      const exchange = http.request(
        { socketPath: this.#socketPath, path, method, headers: { host: 'docker', ...headers }, agent: false },
        (response) => {
          collectBody(response, name).then((answer) => settle(() => resolve(answer)), fail);
        },
      );
      exchange.on('error', (error) => fail(this.#unreachable(name, error)));
      signal.addEventListener('abort', abort, { once: true });
      exchange.end(bytes);
    });
  }

  #unreachable(name: string, error: unknown): AgentError {
    const why = errnoOf(error) ?? messageOf(error);
    const text = `Cannot ask dockerd "${name}": "${this.#socketPath}" gives ${why}; see \`agentctl logs dockerd\``;
    return new AgentError('TOOL_FAILED', text, { cause: error });
  }
}

function encodeBody(body: unknown): { bytes?: Uint8Array | string; headers: http.OutgoingHttpHeaders } {
  if (body === undefined) return { headers: {} };
  const isRaw = body instanceof Uint8Array;
  const bytes = isRaw ? body : JSON.stringify(body);
  const type = isRaw ? 'application/x-tar' : 'application/json';
  return { bytes, headers: { 'content-type': type, 'content-length': Buffer.byteLength(bytes) } };
}

function collectBody(response: http.IncomingMessage, name: string): Promise<DockerAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
      else
        reject(
          new AgentError('TOO_LARGE', `Cannot ask dockerd "${name}": answer above ${maxBodyBytes} bytes`),
        );
    });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    response.on('error', (error) => {
      reject(
        new AgentError('TOOL_FAILED', `Cannot ask dockerd "${name}": ${messageOf(error)}`, { cause: error }),
      );
    });
    response.on('aborted', () => {
      reject(
        new AgentError('TOOL_FAILED', `Cannot ask dockerd "${name}": it closed the connection in mid-answer`),
      );
    });
  });
}
