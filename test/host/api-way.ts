import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { createApi } from '../../agent/api/api.ts';
import { AgentClient } from '../../agent/api/client.ts';
import { ApiListener, type ListenerParts } from '../../agent/host/api-listener.ts';
import { UnixClient } from '../../agent/host/unix-client.ts';
import { FakeVerbs } from '../fakes/fake-verbs.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

/** A real listener over fake verbs, and a real client. */
export interface Way {
  readonly verbs: FakeVerbs;
  readonly log: QuietLog;
  readonly listener: ApiListener;
  readonly client: AgentClient;
  readonly path: string;
}

/** A short private directory that the test removes; Unix sockets allow no long ones. */
export async function privateDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'oh-api-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Makes a listener without starting it. */
export function makeWay(file: string, more: Partial<ListenerParts> = {}): Way {
  const verbs = new FakeVerbs();
  const log = new QuietLog();
  const listener = new ApiListener({
    api: createApi({ verbs, log }),
    log,
    path: file,
    access: { mode: 0o600 },
    may: ['observe', 'operate'],
    ...more,
  });
  return { verbs, log, listener, client: new AgentClient(new UnixClient(file)), path: file };
}

/** A listener that answers, stopped when the test is over. */
export async function startWay(t: TestContext, more: Partial<ListenerParts> = {}): Promise<Way> {
  const way = makeWay(path.join(await privateDirectory(t), 'agent.sock'), more);
  await way.listener.start();
  t.after(() => way.listener.stop());
  return way;
}

/** Raw bytes to a socket and everything that came back until it was closed. */
export async function exchange(file: string, bytes: string | Uint8Array): Promise<string> {
  const socket = await connected(file);
  const answer = textUntilClose(socket);
  socket.write(bytes);
  return answer;
}

/** An open connection. */
export function connected(file: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(file);
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Everything that a connection says until it ends, however it ends. */
export function textUntilClose(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(text));
  });
}
