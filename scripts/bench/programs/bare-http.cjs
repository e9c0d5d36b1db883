// Reference: the least that a Node program can do to answer status on a Unix socket, and to keep units running.
// Usage: bare-http.cjs SOCKET STATUS-FILE|- [UNIT-PROGRAM]…
// CommonJS, because an import of node:http from an ES module reads every export of it and so loads undici: half as long again.
const http = require('node:http');

const [socket, statusFile, ...programs] = process.argv.slice(2);
const status =
  statusFile === '-' ? { ready: true } : JSON.parse(require('node:fs').readFileSync(statusFile, 'utf8'));

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
  require('node:child_process')
    .spawn(program, { stdio: 'ignore' })
    .on('exit', () => keepRunning(program));
}
