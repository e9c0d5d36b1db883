import { createServer, type IncomingMessage, type Server } from 'node:http';
import { newMessage } from '../message.ts';
import type { CloudHub } from './cloudhub.ts';
import { parseFaults } from './faults.ts';
import type { Json } from './merge.ts';

interface Answer {
  readonly code: number;
  readonly body: unknown;
}

type Route = (cloud: CloudHub, body: unknown, argument: string) => Answer | Promise<Answer>;

/** What a test may ask and do, by method and path. The control port listens on loopback only. */
const routes: Readonly<Record<string, Route>> = {
  'GET state': (cloud) => ok(stateOf(cloud)),
  'GET token': (cloud) => ok({ token: cloud.token() }),
  'GET expired-token': (cloud) => ok({ token: cloud.token(-1000) }),
  'GET received': (cloud) => ok(cloud.received),
  'GET node': (cloud, _, name) => {
    const node = cloud.store.get('node', { namespace: '', name });
    return node === undefined ? { code: 404, body: { error: `no node "${name}"` } } : ok(node);
  },
  'DELETE node': (cloud, _, name) => ok({ removed: cloud.store.remove('node', { namespace: '', name }) }),
  'POST faults': async (cloud, body) => {
    await cloud.setFaults(parseFaults(body));
    return ok({});
  },
  'POST pod': (cloud, body, node) => {
    cloud.addPod(node, body as Json);
    return ok({});
  },
  'POST device': (cloud, body, node) => {
    const {
      namespace = 'default',
      name,
      properties = [],
    } = body as {
      namespace?: string;
      name: string;
      properties?: readonly string[];
    };
    cloud.devices.add({ namespace, name, nodeName: node, properties });
    return ok({});
  },
  'POST service-bus': callServiceBus,
};

/** Starts the control port. */
export async function startControl(cloud: CloudHub, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    handle(cloud, request)
      .catch((error: unknown): Answer => ({ code: 400, body: { error: String(error) } }))
      .then(({ code, body }) => {
        response
          .writeHead(code, { 'Content-Type': 'application/json' })
          .end(`${JSON.stringify(body, null, 2)}\n`);
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

async function handle(cloud: CloudHub, request: IncomingMessage): Promise<Answer> {
  const [noun = '', argument = ''] = new URL(request.url ?? '/', 'http://control').pathname
    .slice(1)
    .split('/');
  const route = routes[`${request.method} ${noun}`];
  if (route === undefined) return { code: 404, body: { routes: Object.keys(routes) } };
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return route(cloud, text === '' ? undefined : JSON.parse(text), decodeURIComponent(argument));
}

function stateOf(cloud: CloudHub): Json {
  return {
    standIn: true,
    version: cloud.profile.version,
    connected: cloud.nodes(),
    issued: cloud.issued,
    nodes: cloud.store.list('node'),
    leases: cloud.store.list('lease'),
    pods: cloud.store.list('pod'),
    events: cloud.store.list('event'),
    devices: cloud.devices.list(),
  };
}

/**
 * Does what the router does for a Rule rest→servicebus: the body gives port, path, method and content
 * (kubeedge/kubeedge cloud/pkg/router/provider/servicebus/servicebus.go, v1.22.1).
 */
async function callServiceBus(cloud: CloudHub, body: unknown, node: string): Promise<Answer> {
  const {
    port,
    path,
    method = 'GET',
    content = '',
  } = body as {
    port: number;
    path: string;
    method?: string;
    content?: string;
  };
  const route = {
    source: 'router_servicebus',
    group: 'user',
    operation: method,
    resource: `${port}:${path}`,
  };
  const request = { header: {}, body: Buffer.from(content).toString('base64'), method, url: '' };
  const reply = await cloud.ask(node, newMessage(route, request), AbortSignal.timeout(15_000));
  const answer = reply.content as { status_code: number; body: string };
  return ok({ status: answer.status_code, body: Buffer.from(answer.body, 'base64').toString() });
}

function ok(body: unknown): Answer {
  return { code: 200, body };
}
