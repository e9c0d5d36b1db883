import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApiAnswer } from '../core/api-port.ts';

/** Milliseconds that a refused asker has to read why. */
const lingerMs = 500;

/** Headers of every answer of the API. */
export function headersOf(text: string): Record<string, string | number> {
  return {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
}

/** Answers on a bare connection, and closes it. */
export function refuseUpgrade(socket: Duplex, answer: ApiAnswer): void {
  const text = `${JSON.stringify(answer.body)}\n`;
  const fields = Object.entries(headersOf(text)).map(([name, value]) => `${name}: ${value}\r\n`);
  const reason = http.STATUS_CODES[answer.status] ?? 'Error';
  socket.end(`HTTP/1.1 ${answer.status} ${reason}\r\nconnection: close\r\n${fields.join('')}\r\n${text}`);
  // An asker that does not close its side would hold the connection for ever.
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}
