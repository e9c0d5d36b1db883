import type { RequestOptions } from 'node:http';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import type { ApiAnswer, ApiCall, ApiTransport, StreamEnd } from '../core/api-port.ts';
import { homeDir } from '../core/constants.ts';

/** Largest answer in bytes that is read. */
const maxAnswerBytes = 16_777_216;

const reasons: Readonly<Record<string, string>> = {
  ENOENT:
    'there is no such socket. If an agent runs, the end of log/agent.log in its home says why; if not, start it with `begetctl start_service oh_edge_agent`',
  ENOTDIR: 'a part of the path is a file, so the agent could not make its socket there; move it away',
  ECONNREFUSED: 'no agent listens there any more; start it with `begetctl start_service oh_edge_agent`',
  EACCES: `this user may not open it; run agentctl as root, or only look with --socket ${homeDir}/run/observe.sock`,
  ENOTSOCK: 'it is no socket; give the right one with --socket',
};

/** Way to the agent through its Unix socket. Node's http and the library ws are loaded with the first use. */
export class UnixClient implements ApiTransport {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async request(call: ApiCall, signal: AbortSignal): Promise<ApiAnswer> {
    const http = await import('node:http');
    signal.throwIfAborted();
    const text = call.body === undefined ? '' : JSON.stringify(call.body);
    const deadline = AbortSignal.timeout(call.timeoutMs);
    const options: RequestOptions & { readonly servername: string } = {
      socketPath: this.#path,
      method: call.method,
      path: call.target,
      agent: false,
      // Given, so that Node does not work it out: that costs a tenth of a quick command on a slow board.
      servername: '',
      headers: { host: 'agent', ...(text === '' ? {} : bodyHeaders(text)) },
      signal: AbortSignal.any([signal, deadline]),
    };
    try {
      return await new Promise<ApiAnswer>((resolve, reject) => {
        const request = http.request(options, (response) => {
          readJson(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
        });
        request.on('error', reject);
        request.end(text);
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (deadline.aborted) throw this.#timedOut(call);
      throw this.#unreachable(error);
    }
  }

  async stream(
    target: string,
    listener: (message: unknown) => void,
    signal: AbortSignal,
  ): Promise<StreamEnd> {
    const { WebSocket } = await import('ws');
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const webSocket = new WebSocket(`ws+unix://${this.#path}:${target}`, {
        headers: { host: 'agent' },
        perMessageDeflate: false,
        maxPayload: maxAnswerBytes,
        handshakeTimeout: 10_000,
      });
      const abort = (): void => {
        reject(signal.reason as Error);
        webSocket.terminate();
      };
      signal.addEventListener('abort', abort, { once: true });
      webSocket.on('message', (data: Buffer) => {
        const message = parseMessage(data);
        if (message === undefined) webSocket.close(1_007, 'want JSON');
        else listener(message);
      });
      webSocket.on('unexpected-response', (_request, response) => {
        const status = response.statusCode ?? 0;
        readJson(response).then((body) => resolve({ how: 'refused', answer: { status, body } }), reject);
      });
      webSocket.on('error', (error) => reject(this.#unreachable(error)));
      webSocket.on('close', (code, reason) => {
        signal.removeEventListener('abort', abort);
        resolve({ how: 'closed', reason: String(reason) || `closed with code ${code}` });
      });
    });
  }

  #timedOut({ method, target, timeoutMs }: ApiCall): AgentError {
    return new AgentError(
      'TIMED_OUT',
      `Cannot ${method} ${target}: no answer within ${timeoutMs} ms; see \`agentctl status\``,
    );
  }

  #unreachable(error: unknown): AgentError {
    const errno = errnoOf(error);
    const why = (errno === undefined ? undefined : reasons[errno]) ?? messageOf(error);
    return new AgentError('AGENT_UNREACHABLE', `Cannot reach the agent at "${this.#path}": ${why}`, {
      cause: error,
    });
  }
}

/** JSON value of a message; undefined where it is none. */
function parseMessage(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}

function bodyHeaders(text: string): Record<string, string | number> {
  return { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
}

async function readJson(source: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > maxAnswerBytes) throw new Error(`The answer has more than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
