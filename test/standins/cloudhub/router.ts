import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { newMessage } from '../message.ts';
import type { CloudHub } from './cloudhub.ts';

/** A Rule or RuleEndpoint as Kubernetes has it. */
interface RouterObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: Readonly<Record<string, unknown>>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

interface Target {
  readonly path: string;
  readonly node: string;
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

const attempts = 3;

/**
 * STAND-IN for cloudcore's router: plain HTTP that asks nobody who he is, rest→servicebus and rest→eventbus by the
 * given objects (kubeedge/kubeedge cloud/pkg/router/listener/http.go and provider/, v1.22.1).
 */
export class Router {
  readonly #cloud: CloudHub;
  readonly #objects: readonly RouterObject[];
  readonly #retryMs: number;
  readonly #server: Server;

  private constructor(cloud: CloudHub, objects: readonly RouterObject[], retryMs: number) {
    this.#cloud = cloud;
    this.#objects = objects;
    this.#retryMs = retryMs;
    this.#server = createServer({ maxHeaderSize: 1_048_576 }, (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  /** @param retryMs pause between its three tries; a second in cloudcore */
  static async start(
    cloud: CloudHub,
    objects: readonly RouterObject[],
    { retryMs = 1_000 }: { readonly retryMs?: number } = {},
  ): Promise<Router> {
    const router = new Router(cloud, objects, retryMs);
    await new Promise<void>((resolve) => router.#server.listen(0, '127.0.0.1', resolve));
    return router;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { status, body } = await this.#answer(request, Buffer.concat(chunks));
    response.writeHead(status).end(body);
  }

  async #answer(request: IncomingMessage, body: Buffer): Promise<Answer> {
    const uri = request.url ?? '';
    const node = uri.split('/')[1] ?? '';
    const failures: string[] = [];
    while (failures.length < attempts) {
      try {
        const rule = this.#rule(uri);
        if (rule === undefined) return { status: 404, body: 'Request error' };
        const own = pathOf(rule).replace(/^\//, '');
        const path = uri.split('/').slice(3).join('/').slice(own.length);
        const answer = await this.#forward(rule, { path, node, request, body });
        if (answer.status === 200) return answer;
        failures.push(answer.body);
      } catch (error) {
        failures.push((error as Error).message);
      }
      await sleep(this.#retryMs);
    }
    const list = failures.map((text, index) => `#${index + 1}: ${text}`);
    return { status: 500, body: `All attempts fail:\n${list.join('\n')}` };
  }

  /** The rule whose path is anywhere in the address, the longest one before others. */
  #rule(uri: string): RouterObject | undefined {
    const whole = (rule: RouterObject): string => `/${rule.metadata.namespace}${pathOf(rule)}`;
    return this.#objects
      .filter((object) => object.kind === 'Rule' && this.#endpoint(object, 'source') === 'rest')
      .filter((rule) => new RegExp(whole(rule)).test(uri))
      .toSorted((a, b) => whole(b).length - whole(a).length)[0];
  }

  #endpoint(rule: RouterObject, side: 'source' | 'target'): unknown {
    return this.#endpointObject(rule, side)?.spec?.['ruleEndpointType'];
  }

  #endpointObject(rule: RouterObject, side: 'source' | 'target'): RouterObject | undefined {
    return this.#objects.find(
      ({ kind, metadata }) => kind === 'RuleEndpoint' && metadata.name === rule.spec?.[side],
    );
  }

  async #forward(rule: RouterObject, target: Target): Promise<Answer> {
    const { node, path } = target;
    if (!this.#cloud.nodes().includes(node))
      throw new Error(`cloudcore doesn't have session for node:${node}`);
    const resource = rule.spec?.['targetResource'] as { path?: string; topic?: string };
    const base = resource.path ?? resource.topic ?? '';
    const whole = path === '' ? base : `${base.replace(/\/$/, '')}/${path.replace(/^\//, '')}`;
    if (this.#endpoint(rule, 'target') === 'eventbus') return this.#publish(whole, target);
    const properties = this.#endpointObject(rule, 'target')?.spec?.['properties'] as { service_port: string };
    return this.#call(`${properties.service_port}:${whole}`, target);
  }

  #publish(topic: string, { node, body }: Target): Answer {
    const route = { source: 'router_eventbus', group: 'user', operation: 'publish', resource: topic };
    this.#cloud.send(node, newMessage(route, body.toString()));
    return { status: 200, body: 'message delivered' };
  }

  async #call(resource: string, { node, request, body }: Target): Promise<Answer> {
    // Go keeps the name of the host apart from the other headers.
    const {
      method = 'GET',
      headers: { host: _, ...headers },
    } = request;
    const route = { source: 'router_servicebus', group: 'user', operation: method, resource };
    const header = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()]));
    const content = { header, body: body.toString('base64'), method, url: '' };
    const reply = await this.#cloud.ask(node, newMessage(route, content), AbortSignal.timeout(60_000));
    const answer = reply.content as { status_code: number; body: string };
    return { status: answer.status_code, body: Buffer.from(answer.body, 'base64').toString() };
  }
}

/** Path of a rule that starts at the router's own HTTP port. */
function pathOf({ spec }: RouterObject): string {
  return (spec?.['sourceResource'] as { path?: string } | undefined)?.path ?? '';
}
