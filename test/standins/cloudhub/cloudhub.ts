import type { TLSSocket } from 'node:tls';
import { type Message, newMessage } from '../message.ts';
import { Authority } from './authority.ts';
import { Devices } from './devices.ts';
import { answerEnrolment, type Enrolment } from './enrolment.ts';
import type { Faults } from './faults.ts';
import { Hub } from './hub.ts';
import { enrolmentServer, hubServer, SwitchablePort } from './listeners.ts';
import type { Json } from './merge.ts';
import { type Profile, profileOf } from './profile.ts';
import { cloudcoreTimes, type Session, type SessionTimes } from './session.ts';
import { KubeStore, metadataOf, type ObjectName } from './store.ts';
import { answerUpstream, type Reply } from './upstream.ts';

/** Options of the stand-in; everything has a default that behaves like cloudcore's. */
export interface CloudHubOptions {
  /** Release to behave like. @default '1.22.1' */
  readonly version?: string;
  /** Address to listen on. @default '127.0.0.1' */
  readonly address?: string;
  /** Names and addresses in the server certificate. @default the address, 127.0.0.1 and localhost */
  readonly names?: readonly string[];
  /** Ports; 0 lets the system choose. @default 0 for both */
  readonly ports?: { readonly hub: number; readonly enrol: number };
  readonly nodeLimit?: number;
  /** cloudHub.authorization enabled with debug off. @default false */
  readonly isEnforced?: boolean;
  readonly times?: Partial<SessionTimes>;
  /** Authority of an earlier stand-in, so that its certificates are good here too. */
  readonly authority?: Authority;
  readonly log?: (line: string) => void;
}

const dayMs = 86_400_000;

/**
 * STAND-IN for KubeEdge's cloudcore, for tests only: real wire (TLS, enrolment, WebSocket, messages), no Kubernetes
 * behind it; objects live in memory.
 */
export class CloudHub {
  readonly store = new KubeStore();
  readonly devices: Devices;
  readonly profile: Profile;
  readonly authority: Authority;
  /** Node names that got a certificate, in order. */
  readonly issued: string[] = [];
  /** Every message of an edge but keepalives and acknowledgements, newest last, at most 2000. */
  readonly received: { readonly nodeId: string; readonly message: Message }[] = [];
  readonly #hub: Hub;
  readonly #options: CloudHubOptions;
  readonly #isEnforced: boolean;
  readonly #log: (line: string) => void;
  readonly #hubPort: SwitchablePort;
  readonly #enrolPort: SwitchablePort;
  readonly #waiting = new Map<string, (message: Message) => void>();
  readonly #delivered = new Set<string>();
  #faults: Faults = {};

  private constructor(authority: Authority, options: CloudHubOptions) {
    this.#options = options;
    this.authority = authority;
    this.profile = profileOf(options.version ?? '1.22.1');
    this.#isEnforced = this.profile.hasAuthorization && (options.isEnforced ?? false);
    this.#log = options.log ?? (() => {});
    this.devices = new Devices(this.profile, this.store, (nodeId, message) => this.send(nodeId, message));
    this.#hub = new Hub({
      times: { ...cloudcoreTimes, ...options.times },
      nodeLimit: options.nodeLimit ?? 500,
      isEnforced: this.#isEnforced,
      faults: () => this.#faults,
      events: {
        connected: (session) => this.#connected(session),
        disconnected: (session) =>
          this.#note(`edge node ${session.nodeId} disConnected after ${session.keepalives} keepalives`),
        message: (message, nodeId, session) => this.#receive(message, nodeId, session),
        acknowledged: (session, message) => this.#delivered.add(deliveryKey(session.nodeId, message)),
        log: (line) => this.#note(line),
      },
    });
    const address = options.address ?? '127.0.0.1';
    this.#hubPort = new SwitchablePort(address, options.ports?.hub ?? 0);
    this.#enrolPort = new SwitchablePort(address, options.ports?.enrol ?? 0);
  }

  /** Starts a stand-in and returns it when both ports listen. */
  static async start(options: CloudHubOptions = {}): Promise<CloudHub> {
    const cloud = new CloudHub(options.authority ?? (await Authority.create()), options);
    await cloud.setFaults({});
    return cloud;
  }

  /** Port of the WebSocket (cloudcore: 10000). */
  get hubPort(): number {
    return this.#hubPort.port;
  }

  /** Port of the enrolment (cloudcore: 10002). */
  get enrolPort(): number {
    return this.#enrolPort.port;
  }

  /** Node ids that have a session now. */
  nodes(): readonly string[] {
    return this.#hub.nodes();
  }

  /** A token for joining. */
  token(lifeMs?: number): string {
    return this.authority.token(lifeMs);
  }

  /** Ends all faults and puts these in their place; both ports are opened anew. */
  async setFaults(faults: Faults): Promise<void> {
    this.#faults = faults;
    this.#hub.close();
    await Promise.all([this.#hubPort.close(), this.#enrolPort.close()]);
    await this.#listen();
    this.store.touch();
  }

  /** Sends a message to a node without acknowledgement; false where it is not connected. */
  send(nodeId: string, message: Message): boolean {
    const session = this.#hub.session(nodeId);
    session?.send(message);
    return session !== undefined;
  }

  /** Sends a message and resolves with the answer that names it as parent. */
  async ask(nodeId: string, message: Message, signal: AbortSignal): Promise<Message> {
    if (this.#hub.session(nodeId) === undefined) {
      throw new Error(`cloudcore doesn't have session for node:${nodeId}`);
    }
    return new Promise<Message>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      this.#waiting.set(message.header.msg_id, resolve);
      this.send(nodeId, message);
    });
  }

  /** Binds a pod to a node and sends it until it is acknowledged, now or when the node connects. */
  addPod(nodeName: string, pod: Json): void {
    const metadata = metadataOf(pod);
    const { namespace = 'default', name: podName } = metadata as Partial<ObjectName>;
    const name = { namespace, name: podName ?? '' };
    const spec = { ...(pod['spec'] as Json | undefined), nodeName };
    this.#deliver(nodeName, this.store.put('pod', name, { ...pod, spec }));
  }

  /** Stops everything. */
  async stop(): Promise<void> {
    this.#hub.close();
    await Promise.all([this.#hubPort.close(), this.#enrolPort.close()]);
  }

  async #listen(): Promise<void> {
    const { server, enrol, hub } = this.#faults;
    const names = server === 'wrong-name' ? ['elsewhere.example'] : this.#names();
    const untilMs = server === 'expired' ? -dayMs : 3650 * dayMs;
    const pair = await this.authority.serverPair(names, { fromMs: -2 * dayMs, untilMs });
    const enrolment: Enrolment = {
      authority: this.authority,
      profile: this.profile,
      faults: () => this.#faults,
      hasNode: (name) => this.store.get('node', { namespace: '', name }) !== undefined,
      issued: (name) => {
        this.issued.push(name);
        this.#note(`signed a certificate for ${name}`);
      },
    };
    if (enrol !== 'refuse') {
      await this.#enrolPort.open(
        enrolmentServer(pair, (request, response) => {
          answerEnrolment(request, response, enrolment).catch((error: unknown) => this.#note(String(error)));
        }),
      );
    }
    if (hub === 'refuse') return;
    const https = hubServer(pair, this.authority.caPem);
    https.on('upgrade', (request, socket, head) => this.#hub.upgrade(request, socket as TLSSocket, head));
    await this.#hubPort.open(https);
  }

  #names(): readonly string[] {
    return (
      this.#options.names ?? [...new Set([this.#options.address ?? '127.0.0.1', '127.0.0.1', 'localhost'])]
    );
  }

  #connected(session: Session): void {
    const { nodeId } = session;
    this.#note(`edge node ${nodeId} for project ${session.projectId} connected`);
    if (this.profile.hasAuthorization) {
      this.store.patch(
        'node',
        { namespace: '', name: nodeId },
        { metadata: { annotations: { cloudcore: '127.0.0.1' } } },
      );
    }
    const mine = (pod: Json) => (pod['spec'] as Json | undefined)?.['nodeName'] === nodeId;
    for (const pod of this.store.list('pod').filter(mine)) this.#deliver(nodeId, pod);
  }

  #deliver(nodeId: string, pod: Json): void {
    const { namespace, name, resourceVersion } = metadataOf(pod);
    const resource = `${String(namespace)}/pod/${String(name)}`;
    const route = { source: 'edgecontroller', group: 'resource', operation: 'insert', resource };
    const message = newMessage(route, pod, { resourceVersion: String(resourceVersion) });
    if (this.#delivered.has(deliveryKey(nodeId, message))) return;
    this.#hub.session(nodeId)?.sendReliably(message);
  }

  #deletePod(nodeId: string, { namespace, name }: ObjectName): void {
    const route = {
      source: 'edgecontroller',
      group: 'resource',
      operation: 'delete',
      resource: `${namespace}/pod/${name}`,
    };
    this.#hub.session(nodeId)?.sendReliably(newMessage(route, { metadata: { namespace, name } }));
  }

  #receive(message: Message, nodeId: string, session: Session | undefined): void {
    this.received.push({ nodeId, message });
    if (this.received.length > 2000) this.received.shift();
    const parentId = message.header.parent_msg_id;
    const waiting = parentId === undefined ? undefined : this.#waiting.get(parentId);
    if (waiting !== undefined && parentId !== undefined) {
      this.#waiting.delete(parentId);
      waiting(message);
    } else if (message.route.source === 'twin') this.devices.take(nodeId, message);
    else if (message.route.operation !== 'upload') this.#answer(message, nodeId, session);
    this.store.touch();
  }

  #answer(message: Message, nodeId: string, session: Session | undefined): void {
    if (this.#isEnforced && message.route.resource?.split('/')[1] === 'event') {
      this.#note(
        `The message is rejected by CloudHub: node="${nodeId}", error=unknown resource type "event"`,
      );
      return;
    }
    const reply = answerUpstream(message, {
      store: this.store,
      profile: this.profile,
      nodeId,
      isEnforced: this.#isEnforced,
      deletePod: (name) => this.#deletePod(nodeId, name),
    });
    if (reply !== undefined && this.#faults.hub !== 'mute') session?.send(replyTo(message, reply));
  }

  #note(line: string): void {
    this.#log(line);
    this.store.touch();
  }
}

function replyTo(message: Message, reply: Reply): Message {
  const { content, resource = message.route.resource, resourceVersion } = reply;
  const { source = 'edgecontroller', group = 'resource' } = reply;
  const route = { source, group, operation: 'response', ...(resource === undefined ? {} : { resource }) };
  const version = resourceVersion === undefined ? {} : { resourceVersion };
  return newMessage(route, content, { parentId: message.header.msg_id, ...version });
}

function deliveryKey(nodeId: string, message: Message): string {
  return `${nodeId} ${message.route.resource} ${message.header.resourceversion}`;
}
