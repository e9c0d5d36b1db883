// Reference: the least that a Node program can do to answer status on a Unix socket, and to keep units running.
// Usage: bare-http.mjs SOCKET STATUS-FILE|- [UNIT-PROGRAM]…
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';

const [socket, statusFile, ...programs] = process.argv.slice(2);
const status = statusFile === '-' ? { ready: true } : JSON.parse(readFileSync(statusFile, 'utf8'));

http
  .createServer((request, response) => {
    request.resume();
    const body = JSON.stringify(status);
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  })
  .listen(socket);

for (const program of programs) keepRunning(program);

function keepRunning(program) {
  spawn(program, { stdio: 'ignore' }).on('exit', () => keepRunning(program));
}
