import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Message, newMessage } from '../message.ts';
import { type Bus, startBus } from './bus.ts';
import { CloudLink } from './cloud-link.ts';
import { applyCertificates, type Certificates, currentCertificates, goText } from './enrolment.ts';
import type { Faults } from './faults.ts';
import { exitWith, klog, panic } from './klog.ts';
import { nodeObject, statusOf } from './node-object.ts';
import { answerServiceBus } from './service-bus.ts';
import type { Settings } from './settings.ts';
import { type TwinEffect, Twins } from './twins.ts';

/** What a run needs besides the settings. */
export interface RunOptions {
  readonly version: string;
  readonly minor: number;
  readonly faults: () => Faults;
  /** Called once when certificates were obtained with the token. */
  readonly enrolled: () => Promise<void>;
  /** Milliseconds between two dials; edgecore's is 5000. */
  readonly dialMs: number;
}

const requestMs = 60_000;
const dials = 5;

/**
 * STAND-IN for edgecore's modules: edged (registration and status only), edgehub, eventbus, devicetwin, servicebus,
 * metaserver's port. Ends the process with the codes and last lines of the real one.
 */
export class Edgecore {
  readonly #settings: Settings;
  readonly #options: RunOptions;
  readonly #twins: Twins;
  readonly #stopped = new AbortController();
  readonly #servers: Server[] = [];
  #bus: Bus | undefined;
  #link: CloudLink | undefined;

  constructor(settings: Settings, options: RunOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#twins = new Twins(settings.nodeName, options.minor);
  }

  /** Runs all modules until `stop`. */
  async run(): Promise<void> {
    const { hub, edgedEnabled, eventBus, metaServer } = this.#settings;
    if (edgedEnabled) await this.#startEdged();
    if (eventBus.enabled) await this.#startBus();
    if (metaServer !== undefined) await this.#startMetaServer(metaServer);
    if (hub.enabled) await this.#runHub();
  }

  /** Stops as on SIGTERM: one empty message, the socket cut, exit by the caller. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#link?.send({ header: { msg_id: '', timestamp: 0 }, route: {}, content: null });
    this.#link?.end();
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    await this.#bus?.close();
  }

  async #startEdged(): Promise<void> {
    const { runtimeEndpoint, imageEndpoint, readOnlyPort } = this.#settings;
    klog('I', 'edged.go:137', 'Starting edged...');
    if (!(await isListening(runtimeEndpoint))) this.#runtimeMissing(runtimeEndpoint, 'runtime');
    if (imageEndpoint !== undefined && !(await isListening(imageEndpoint)))
      this.#runtimeMissing(imageEndpoint, 'image');
    const server = createServer((request, response) => {
      const isHealth = /^\/healthz(\/ping|\/syncloop|\/log)?$/.test(request.url ?? '');
      response.writeHead(isHealth ? 200 : 404).end(isHealth ? 'ok' : '404 page not found');
    });
    await listen(server, `127.0.0.1:${readOnlyPort}`).catch((error: unknown) =>
      exitWith('server.go:205', `Failed to listen and serve: ${goText(error)}`),
    );
    this.#servers.push(server);
  }

  #runtimeMissing(endpoint: string, api: 'runtime' | 'image'): never {
    const path = endpoint.replace('unix://', '');
    const reason = `failed to run Kubelet: validate service connection: validate CRI v1 ${api} API for endpoint "${endpoint}": rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix ${path}: connect: no such file or directory"`;
    if (this.#options.minor < 21) exitWith('edged.go:123', `Start edged failed, err: ${reason}`);
    klog('F', 'edged.go:152', `Start edged failed, err: ${reason}`);
    panic(
      'runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation]',
    );
  }

  async #startBus(): Promise<void> {
    try {
      this.#bus = await startBus(this.#settings.eventBus, (topic, payload) => this.#fromBus(topic, payload));
    } catch (error) {
      klog('E', 'eventbus.go:95', `Launch internal mqtt broker failed, ${goText(error)}`);
      process.exit(1);
    }
  }

  /** A busy port stops every module and leaves the process: the zombie. */
  async #startMetaServer(address: string): Promise<void> {
    const server = createServer((_, response) => response.writeHead(200).end('{}'));
    try {
      await listen(server, address);
      klog('I', 'server.go:118', `[metaserver]start to listen and server at http://${address}`);
      this.#servers.push(server);
    } catch (error) {
      klog('E', 'server.go:121', `failed to serve meta server: listen tcp ${address}: ${goText(error)}`);
      await this.#becomeZombie();
    }
  }

  async #becomeZombie(): Promise<void> {
    await this.stop();
    klog('W', 'core.go:89', 'all modules stopped');
    await new Promise(() => setInterval(() => {}, 60_000));
  }

  async #runHub(): Promise<void> {
    const certificates = await this.#certificates();
    while (!this.#stopped.signal.aborted) {
      const link = await this.#dial(certificates);
      if (link === undefined) {
        const wait = `${(this.#settings.hub.heartbeatMs * 2) / 1000}s`;
        klog(
          'E',
          'edgehub.go:116',
          `connection failed: max retry count reached when connecting to cloud, will reconnect after ${wait}`,
        );
      } else await this.#serve(link);
      await this.#pause(this.#settings.hub.heartbeatMs * 2);
    }
  }

  async #certificates(): Promise<Certificates> {
    const { minor, enrolled } = this.#options;
    const current = await currentCertificates(this.#settings, minor);
    if (current !== undefined) return current;
    try {
      const applied = await applyCertificates(this.#settings, minor);
      await enrolled();
      return applied;
    } catch (error) {
      const text = (error as Error).message;
      if (minor >= 21) panic(`failed to apply the edge certs, err: ${text}`);
      exitWith('certmanager.go:91', `Error: ${text}`);
    }
  }

  async #dial(certificates: Certificates): Promise<CloudLink | undefined> {
    const { hub, nodeName } = this.#settings;
    klog('I', 'websocket.go:51', 'Websocket start to connect Access');
    for (let dial = 0; dial < dials && !this.#stopped.signal.aborted; dial += 1) {
      try {
        if (this.#options.faults().lostCloud === true) throw new Error('dial tcp: i/o timeout');
        const target = { server: hub.server, projectId: hub.projectId, nodeId: nodeName, certificates };
        // Each dial of a round adds this header once more: viaduct's client keeps one header object.
        const headers = { ConnectionUse: Array.from({ length: dial + 1 }, () => 'msg') };
        const link = await CloudLink.connect({ ...target, headers });
        klog('I', 'websocket.go:96', 'Websocket connect to cloud access successful');
        return link;
      } catch (error) {
        klog('E', 'ws.go:77', `dial websocket error(${goText(error)}), response message: `);
        klog('E', 'websocket.go:93', `Init websocket connection failed ${goText(error)}`);
      }
      await this.#pause(this.#options.dialMs);
    }
    return undefined;
  }

  async #serve(link: CloudLink): Promise<void> {
    const { heartbeatMs } = this.#settings.hub;
    this.#link = link;
    link.onMessage((message) => this.#fromCloud(link, message));
    const beat = setInterval(() => this.#beat(link), heartbeatMs);
    link.keepAlive();
    const status = setInterval(() => this.#report(link), this.#settings.statusMs);
    if (this.#settings.edgedEnabled)
      this.#register(link).catch((error: unknown) => klog('E', 'kubelet_node_status.go:94', String(error)));
    const code = await link.closed();
    clearInterval(beat);
    clearInterval(status);
    this.#link = undefined;
    if (this.#stopped.signal.aborted) return;
    klog(
      'E',
      'process.go:45',
      `websocket read error: websocket: close ${code} (abnormal closure): unexpected EOF`,
    );
    klog('W', 'edgehub.go:136', `connection is broken, will reconnect after ${(heartbeatMs * 2) / 1000}s`);
  }

  #beat(link: CloudLink): void {
    if (this.#options.faults().lostCloud === true) link.end();
    else link.keepAlive();
  }

  async #register(link: CloudLink): Promise<void> {
    const { nodeName } = this.#settings;
    const isOld = this.#options.minor < 12;
    const resource = `default/${isOld ? 'nodestatus' : 'node'}/${nodeName}`;
    const route = { source: 'edged', group: 'meta', operation: 'insert', resource };
    klog('I', 'kubelet_node_status.go:71', `"Attempting to register node" node="${nodeName}"`);
    await link.ask(
      newMessage(route, nodeObject(this.#settings, this.#options.version)),
      AbortSignal.timeout(requestMs),
    );
    klog('I', 'kubelet_node_status.go:74', `"Successfully registered node" node="${nodeName}"`);
    this.#report(link);
  }

  #report(link: CloudLink): void {
    if (!this.#settings.edgedEnabled) return;
    const { nodeName } = this.#settings;
    const status = statusOf(this.#options.version, this.#options.faults().runtimeDown !== true);
    const base = { source: 'edged', group: 'meta' };
    if (this.#options.minor < 12) {
      const content = { UID: '', Status: status, ExtendResources: null };
      link.send(
        newMessage({ ...base, operation: 'update', resource: `default/nodestatus/${nodeName}` }, content),
      );
      return;
    }
    const patch = { ...base, operation: 'patch', resource: `default/nodepatch/${nodeName}` };
    link.send(newMessage(patch, JSON.stringify({ status })));
    const lease = {
      metadata: { name: nodeName, namespace: 'kube-node-lease' },
      spec: { holderIdentity: nodeName, renewTime: microTime() },
    };
    link.send(
      newMessage({ ...base, operation: 'insert', resource: `kube-node-lease/lease/${nodeName}` }, lease),
    );
    link.send(
      newMessage({ ...base, operation: 'update', resource: `kube-node-lease/lease/${nodeName}` }, lease),
    );
  }

  #fromCloud(link: CloudLink, message: Message): void {
    const { group, source = '', resource = '', operation } = message.route;
    if (group === 'twin' && resource === 'membership') {
      this.#perform(this.#twins.updateMembership(message.content));
    } else if (group === 'user' && source === 'router_servicebus' && this.#settings.serviceBusEnabled) {
      answerServiceBus(message)
        .then((answer) => link.send(answer))
        .catch((error: unknown) => klog('E', 'servicebus.go:160', String(error)));
    } else if (group === 'user' && source === 'router_eventbus') {
      this.#bus?.publish(resource, String(message.content));
    } else if (operation !== 'response') link.acknowledge(message);
  }

  #fromBus(topic: string, payload: string): void {
    const isTwin = topic.startsWith('$hw/events/device/') || topic.startsWith('$hw/events/node/');
    if (isTwin) {
      this.#perform(this.#twins.receive(topic, payload));
      return;
    }
    const route = { source: 'bus', group: 'user', operation: 'upload', resource: topic };
    this.#link?.send(newMessage(route, payload));
  }

  #perform(effects: readonly TwinEffect[]): void {
    for (const effect of effects) {
      if (effect.to === 'bus') this.#bus?.publish(effect.topic, JSON.stringify(effect.payload));
      else {
        const route = { source: 'twin', group: 'resource', operation: 'update', resource: effect.resource };
        this.#link?.send(newMessage(route, effect.content));
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopped.signal }).catch(() => {});
  }
}

/** Kubernetes' MicroTime: cloudcore refuses any other number of digits. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}

async function listen(server: Server, address: string): Promise<void> {
  const at = address.lastIndexOf(':');
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(address.slice(at + 1)), address.slice(0, at), resolve);
  });
}

/** Reports whether somebody listens on a `unix://` or `tcp://` endpoint. */
async function isListening(endpoint: string): Promise<boolean> {
  const url = new URL(endpoint);
  const target =
    url.protocol === 'unix:' ? { path: url.pathname } : { host: url.hostname, port: Number(url.port) };
  return new Promise((resolve) => {
    const socket = connect(target);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
