// Reference: the least that a Node program can do to tell many WebSocket clients a piece of news. Usage: bare-watch.cjs SOCKET
// CommonJS, because an import of node:http from an ES module reads every export of it and so loads undici, 10 MB.
const http = require('node:http');
const { WebSocketServer } = require('ws');

const news = JSON.stringify({ type: 'event', event: { text: 'x'.repeat(200) } });

const server = http.createServer((request, response) => {
  request.resume();
  if (request.method === 'POST') for (const client of sockets.clients) client.send(news);
  response.end('{}');
});
const sockets = new WebSocketServer({ server });
sockets.on('connection', (client) => client.send(news));
server.listen(process.argv[2]);
