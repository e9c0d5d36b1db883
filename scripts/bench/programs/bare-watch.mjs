// Reference: the least that a Node program can do to tell many WebSocket clients a piece of news. Usage: bare-watch.mjs SOCKET
import http from 'node:http';
import { WebSocketServer } from 'ws';

const news = JSON.stringify({ type: 'event', event: { text: 'x'.repeat(200) } });

const server = http.createServer((request, response) => {
  request.resume();
  if (request.method === 'POST') for (const client of sockets.clients) client.send(news);
  response.end('{}');
});
const sockets = new WebSocketServer({ server });
sockets.on('connection', (client) => client.send(news));
server.listen(process.argv[2]);
