import { request } from 'node:http';
import { type Message, newMessage } from '../message.ts';

const timeoutMs = 10_000;

/**
 * Calls the local HTTP service that a Rule rest→servicebus names and makes the answer for the cloud
 * (kubeedge/kubeedge edge/pkg/servicebus/servicebus.go, v1.22.1).
 */
export async function answerServiceBus(message: Message): Promise<Message> {
  const [port, path] = (message.route.resource ?? '').split(':');
  const { method, header, body } = message.content as {
    method: string;
    header: Record<string, string[]> | null;
    body: string | null;
  };
  const base = { source: 'servicebus', group: 'user' };
  const options = { parentId: message.header.msg_id };
  try {
    const { status, content } = await call(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: header ?? {},
      body: Buffer.from(body ?? '', 'base64'),
    });
    const answer = { header: {}, status_code: status, body: content.toString('base64') };
    return newMessage({ ...base, resource: '', operation: 'upload' }, answer, options);
  } catch {
    const text = Buffer.from('error to call service').toString('base64');
    return newMessage(
      base,
      { header: { Server: ['kubeedge-edgecore'] }, status_code: 404, body: text },
      options,
    );
  }
}

interface Call {
  readonly method: string;
  readonly headers: Record<string, string[]>;
  readonly body: Buffer;
}

async function call(
  url: string,
  { method, headers, body }: Call,
): Promise<{ status: number; content: Buffer }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const outgoing = request(url, { method, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, content: Buffer.concat(chunks) }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
