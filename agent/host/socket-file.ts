import { chmodSync, chownSync, renameSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { createConnection, type Server } from 'node:net';
import path from 'node:path';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import { makeDirectories } from './make-directories.ts';

/** A Unix socket's path must fit into sun_path with its final NUL (unix(7)). */
const maxPathBytes = 107;
const probeMs = 1_000;

/** Who may use a socket file. */
export interface SocketAccess {
  /** Permission bits, e.g. 0o600. */
  readonly mode: number;
  /** Numeric group; absent leaves the group of the process. */
  readonly groupId?: number;
}

/**
 * Lets a server listen on a Unix socket that nobody can open before its mode is right: it is made for its owner only, beside
 * its place, and then renamed. A stale file of a dead process is replaced; a living one is ALREADY_RUNNING. Synchronous where
 * it can be, because nothing else happens before the agent listens.
 */
export async function listenOnFile(server: Server, file: string, access: SocketAccess): Promise<void> {
  const fresh = `${file}.${process.pid}`;
  if (Buffer.byteLength(fresh) > maxPathBytes) {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot listen on "${file}": its path has ${Buffer.byteLength(file)} bytes, want at most ${maxPathBytes - Buffer.byteLength(fresh) + Buffer.byteLength(file)}; choose a shorter directory`,
    );
  }
  if (await isAlive(file)) {
    throw new AgentError(
      'ALREADY_RUNNING',
      `Cannot listen on "${file}": another agent answers there; stop it with \`begetctl stop_service oh_edge_agent\``,
    );
  }
  try {
    makeDirectories(path.dirname(file));
    // Of an earlier process with our number.
    removeSocketFile(fresh);
    await listen(server, fresh);
    chmodSync(fresh, access.mode);
    if (access.groupId !== undefined) chownSync(fresh, -1, access.groupId);
    renameSync(fresh, file);
  } catch (error) {
    server.close();
    throw cannotListen(file, error);
  }
}

/** Removes a socket file; an absent one is no error. Not by rmSync(), whose first use loads what removes whole trees. */
export function removeSocketFile(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/**
 * What `listen()` calls after it has loaded node:cluster and with it node:child_process, a twelfth of what the agent does until it
 * answers. Node has kept this name of it since 0.10 (lib/net.js "legacy alias"); where it has not, `listen()` does.
 */
interface PlainServer extends Server {
  _listen2?: (path: string, port: -1, type: -1, backlog: number) => void;
}

/** As Node's own. */
const backlog = 511;

function listen(server: PlainServer, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    // The file is made within the call: no other file is touched by the mask.
    const umask = process.umask(0o177);
    if (server._listen2 === undefined) server.listen(file, backlog);
    else server._listen2(file, -1, -1, backlog);
    process.umask(umask);
  });
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    // What is wrong with the directory is said when the socket cannot be made there.
    return undefined;
  }
}

/** Reports whether a process accepts connections on the socket file. */
async function isAlive(file: string): Promise<boolean> {
  const found = statOf(file);
  if (found === undefined) return false;
  if (!found.isSocket()) {
    throw new AgentError(
      'FILE_FAILED',
      `Cannot listen on "${file}": it is there and no socket; move it away`,
    );
  }
  return new Promise((resolve) => {
    const socket = createConnection(file);
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(probeMs, () => settle(true));
    socket.once('connect', () => settle(true));
    // A full queue is that of somebody who is there, however slow.
    socket.once('error', (error) => settle(errnoOf(error) === 'EAGAIN'));
  });
}

const fixes: Readonly<Record<string, string>> = {
  EROFS: 'the directory is on a read-only file system; want one below /data',
  EACCES: 'the directory is not writable; run the agent as root',
  EPERM: 'the owner cannot be set; run the agent as root',
  ENOSPC: 'the file system is full; free some space',
  ENOTDIR: 'a part of the path is a file; move it away',
  EEXIST: 'what should be its directory is a file; move it away',
};

function cannotListen(file: string, error: unknown): AgentError {
  const errno = errnoOf(error);
  const fix = (errno === undefined ? undefined : fixes[errno]) ?? messageOf(error);
  return new AgentError('FILE_FAILED', `Cannot listen on "${file}": ${errno ?? 'failed'}, ${fix}`, {
    cause: error,
  });
}
