import { existsSync } from 'node:fs';
import http from 'node:http';
import { connect } from 'node:net';
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

/**
 * Asks again, half a millisecond apart, until there is a 200; rejects when that takes too long. Speaks by hand, because the first
 * request of Node's client takes this process longer than the answer takes the server that is being timed.
 */
export async function firstAnswer(socketPath: string, path: string, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  // Looking for the file costs microseconds, a refused request would slow the server.
  while (!existsSync(socketPath) && performance.now() < deadline) await pause(0.5);
  let seen = 'nobody listens';
  while (performance.now() < deadline) {
    seen = await statusLine(socketPath, path);
    if (seen.startsWith('HTTP/1.1 200 ')) return;
    await pause(0.5);
  }
  throw new Error(`Cannot get ${path} at ${socketPath}: ${seen} after ${withinMs} ms, want 200`);
}

/** First line of the answer, or what came instead; the rest is not waited for. */
async function statusLine(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\r\n');
      if (end < 0) return;
      resolve(text.slice(0, end));
      socket.destroy();
    });
    socket.on('error', ({ message }) => resolve(message));
    socket.on('close', () => resolve('the connection was closed'));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  });
}
