import { readFile } from 'node:fs/promises';
import net from 'node:net';
import tls from 'node:tls';
import type { MqttClient } from 'mqtt';
import { errnoOf, messageOf } from '../core/agent-error.ts';
import {
  type BrokerLink,
  type BrokerMessage,
  type BrokerSession,
  type BrokerTarget,
  type LinkEnd,
  LinkError,
} from '../core/link.ts';
import { PacketBound } from './packet-bound.ts';
import { checkServerIdentity } from './server-identity.ts';
import { unusableFiles } from './unusable-files.ts';

const connectMs = 10_000;
const closeMs = 1_000;
const maxPacketBytes = 262_144;

/**
 * Sessions with an MQTT 3.1.1 broker through the `mqtt` library, which is loaded only once a broker has answered the
 * TCP connection: a board without a broker does not pay for it. The library's own reconnecting is off.
 */
export class MqttLink implements BrokerLink {
  async open(target: BrokerTarget, signal: AbortSignal): Promise<BrokerSession> {
    const socket = await dial(target, signal);
    // Only the client: the package's front door also brings WebSockets, SOCKS and the ways to find a broker, 350 KB.
    const { default: library } = await import('mqtt/lib/client');
    // A program that tsx runs gets the class itself, a bundle and Node the module around it.
    const Client = (library.default as typeof library.default | undefined) ?? (library as never);
    const client = new Client(() => socket, {
      clientId: target.clientId,
      clean: true,
      keepalive: 60,
      protocolVersion: 4,
      reconnectPeriod: 0,
      connectTimeout: connectMs,
      queueQoSZero: false,
      resubscribe: false,
      // Otherwise the codec keeps a buffer for each of 65536 numbers: 20 MB.
      writeCache: false,
      manualConnect: true,
      ...credentialsOf(target),
    });
    const session = new MqttSession(client, shown(target.url));
    client.connect();
    const bound = new PacketBound(maxPacketBytes);
    socket.on('data', (chunk: Buffer) => {
      if (!bound.take(chunk)) session.cutTooLong();
    });
    await session.opened(signal);
    return session;
  }
}

class MqttSession implements BrokerSession {
  readonly ended: Promise<LinkEnd>;
  readonly #client: MqttClient;
  readonly #url: string;
  #end: LinkEnd | undefined;
  #isOver = false;
  /** Acts under way. Not by `ended.then`: a promise that is settled months later would remember every message until then. */
  readonly #waiting = new Set<(end: LinkEnd) => void>();

  constructor(client: MqttClient, url: string) {
    this.#client = client;
    this.#url = url;
    client.on('error', (error) => {
      this.#end ??= endOf(error, url);
    });
    this.ended = new Promise((resolve) => {
      client.once('close', () => {
        const end = (this.#end ??= {
          reason: 'Closed',
          message: `The broker "${url}" closed the session`,
          isPermanent: false,
        });
        this.#isOver = true;
        for (const tell of this.#waiting) tell(end);
        resolve(end);
      });
    });
  }

  /** Resolves when the broker has accepted the session. */
  opened(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        void this.close();
        reject(signal.reason as Error);
      };
      void this.ended.then((end) => reject(new LinkError(end)));
      this.#client.once('connect', () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }

  async publish({ topic, payload }: BrokerMessage, signal: AbortSignal): Promise<void> {
    await this.#unlessOver(this.#client.publishAsync(topic, payload, { qos: 1, retain: false }), signal);
  }

  async subscribe(topics: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#unlessOver(this.#client.subscribeAsync([...topics], { qos: 1 }), signal);
  }

  onMessage(listener: (message: BrokerMessage) => void): void {
    this.#client.on('message', (topic, bytes) => listener({ topic, payload: bytes.toString('utf8') }));
  }

  /** Ends the session before a packet above the bound is in memory. */
  cutTooLong(): void {
    const message = `Somebody sent more than ${maxPacketBytes} bytes in one message over the broker "${this.#url}"`;
    this.#end ??= { reason: 'MessageTooLong', message, isPermanent: false };
    this.#client.stream.destroy();
  }

  async close(): Promise<void> {
    this.#end ??= { reason: 'Left', message: `The session with "${this.#url}" was left`, isPermanent: false };
    const cut = setTimeout(() => this.#client.stream.destroy(), closeMs);
    this.#client.end(false);
    await this.ended;
    clearTimeout(cut);
  }

  /** The library never settles what was under way when the connection went, so the end of the session does. */
  #unlessOver(act: Promise<unknown>, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (done: () => void): void => {
        this.#waiting.delete(over);
        signal.removeEventListener('abort', abort);
        done();
      };
      const over = (end: LinkEnd): void => settle(() => reject(new LinkError(end)));
      const abort = (): void => settle(() => reject(signal.reason as Error));
      this.#waiting.add(over);
      act.then(
        () => settle(resolve),
        (error: unknown) => settle(() => reject(error as Error)),
      );
      if (this.#isOver && this.#end !== undefined) over(this.#end);
      else if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }
}

/** As edgecore's own library takes them: those in the address before all others (eclipse/paho.mqtt.golang client.go). */
function credentialsOf({ url, username, password }: BrokerTarget): { username?: string; password?: string } {
  const inUrl = new URL(url);
  const [user, word] = [inUrl.username, inUrl.password].map(decodeURIComponent);
  const name = user || username;
  const secret = user ? word : password;
  return {
    ...(name === undefined ? {} : { username: name }),
    ...(secret === undefined ? {} : { password: secret }),
  };
}

/** The address without what nobody should read in a message. */
function shown(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//');
}

/** A connected socket, with TLS where the address asks for it. */
async function dial({ url: address, tls: files }: BrokerTarget, signal: AbortSignal): Promise<net.Socket> {
  const { protocol, hostname, port } = new URL(address);
  const url = shown(address);
  const isSecure = !['tcp:', 'mqtt:'].includes(protocol);
  const host = hostname.replace(/^\[|\]$/g, '');
  const secrets = isSecure ? await secretsOf(files, url) : {};
  return new Promise((resolve, reject) => {
    const options = { host, port: Number(port) || (isSecure ? 8883 : 1883) };
    const socket = isSecure
      ? tls.connect({
          ...options,
          ...secrets,
          checkServerIdentity,
          ...(net.isIP(host) === 0 ? { servername: host } : {}),
        })
      : net.connect(options);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.removeListener('error', fail);
      act();
    };
    const fail = (error: unknown): void =>
      settle(() => {
        socket.on('error', () => undefined);
        socket.destroy();
        reject(
          error instanceof Error && signal.aborted
            ? error
            : new LinkError(endOf(error, url), { cause: error }),
        );
      });
    const abort = (): void => fail(signal.reason);
    const timer = setTimeout(() => fail(new Error(`no answer within ${connectMs} ms`)), connectMs);
    socket.on('error', fail);
    socket.once(isSecure ? 'secureConnect' : 'connect', () => settle(() => resolve(socket.setNoDelay(true))));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

async function secretsOf(files: BrokerTarget['tls'], url: string): Promise<tls.SecureContextOptions> {
  if (files === undefined) return {};
  try {
    const [ca, cert, key] = await Promise.all(
      [files.caFile, files.certFile, files.keyFile].map((file) => readFile(file)),
    );
    return {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
  } catch (error) {
    const what = `Cannot enter the broker "${url}" with its certificate files`;
    throw unusableFiles(what, 'put them where edgecore.yaml says they are', error);
  }
}

/** MQTT 3.1.1 return codes that a person must cure. */
const refusals: Readonly<Record<string, string>> = {
  1: 'ProtocolRefused',
  2: 'ClientRefused',
  4: 'PasswordRefused',
  5: 'NotAuthorized',
};

function endOf(error: unknown, url: string): LinkEnd {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const refusal = refusals[code];
  const why = errnoOf(error) ?? messageOf(error);
  if (refusal !== undefined) {
    const message = `The broker "${url}" refused the session: ${messageOf(error)}`;
    return { reason: refusal, message, isPermanent: true };
  }
  return { reason: 'Unreachable', message: `Cannot reach the broker "${url}": ${why}`, isPermanent: false };
}
