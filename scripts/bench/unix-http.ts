import { existsSync } from 'node:fs';
import http from 'node:http';
import { pause } from './launch.ts';

/** Answer of a request. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Sends one request over a Unix socket. */
export async function request(
  socketPath: string,
  path: string,
  options: { readonly method?: string; readonly agent?: http.Agent } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request({ socketPath, path, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** Asks again, a millisecond apart, until there is a 200; rejects when that takes too long. */
export async function firstAnswer(socketPath: string, path: string, withinMs = 20_000): Promise<Answer> {
  const deadline = performance.now() + withinMs;
  // Looking for the file costs microseconds, a refused request would slow the server that is being timed.
  while (!existsSync(socketPath) && performance.now() < deadline) await pause(1);
  let seen = 'nobody listens';
  while (performance.now() < deadline) {
    try {
      const answer = await request(socketPath, path);
      if (answer.status === 200) return answer;
      seen = `status ${answer.status}`;
    } catch (error) {
      seen = error instanceof Error ? error.message : String(error);
    }
    await pause(1);
  }
  throw new Error(`Cannot get ${path} at ${socketPath}: ${seen} after ${withinMs} ms, want 200`);
}
