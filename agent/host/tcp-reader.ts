import { connect } from 'node:net';

/** Most characters that are read. */
const maxLength = 4_096;

/** Connects, reads until the other side ends, and resolves with the text; rejects where nobody answers. */
export function readTcp(host: string, port: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (text.length > maxLength) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text.slice(0, maxLength)));
  });
}
