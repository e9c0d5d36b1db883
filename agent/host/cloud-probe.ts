import { type RequestOptions, request } from 'node:https';
import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { errnoOf, messageOf } from '../core/agent-error.ts';
import type {
  CloudProbe,
  EnrolmentAnswer,
  TcpAddress,
  Unreachable,
  UnreachableReason,
} from '../core/cloud-probe.ts';

const maxAnswerBytes = 262_144;

/** Reasons by errno word; everything else that TLS says is `no-tls`. */
const reasons: Readonly<Record<string, UnreachableReason>> = {
  ENOTFOUND: 'name-unknown',
  EAI_AGAIN: 'name-unknown',
  ENODATA: 'name-unknown',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'no-route',
  ENETUNREACH: 'no-route',
  EADDRNOTAVAIL: 'no-route',
  ETIMEDOUT: 'timed-out',
  EPROTO: 'no-tls',
  ECONNRESET: 'no-tls',
};

interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly peer: Buffer | undefined;
  readonly date: string | undefined;
}

/** Asks cloudcore over the network. */
export class HostCloudProbe implements CloudProbe {
  async reach(address: TcpAddress, signal: AbortSignal): Promise<{ readonly ok: true } | Unreachable> {
    return new Promise((resolve) => {
      const socket = connect({ ...address });
      const end = (result: { readonly ok: true } | Unreachable): void => {
        signal.removeEventListener('abort', late);
        socket.destroy();
        resolve(result);
      };
      const late = (): void => end(timedOut(address));
      if (signal.aborted) {
        late();
        return;
      }
      signal.addEventListener('abort', late, { once: true });
      socket.once('connect', () => end({ ok: true }));
      socket.once('error', (error) => end(unreachable(error, address)));
    });
  }

  async enrolment(address: TcpAddress, signal: AbortSignal): Promise<EnrolmentAnswer | Unreachable> {
    try {
      const { status, body, peer, date } = await ask(address, '/ca.crt', signal);
      if (status !== 200 || peer === undefined) {
        const message = `GET /ca.crt of ${show(address)} answered ${status}, so that is no cloudcore`;
        return { ok: false, reason: 'other', message };
      }
      const dateMs = date === undefined ? Number.NaN : Date.parse(date);
      return {
        ok: true,
        authorityDer: body,
        serverDer: peer,
        dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
      };
    } catch (error) {
      return signal.aborted ? timedOut(address) : unreachable(error, address);
    }
  }

  async hasNode(address: TcpAddress, name: string, signal: AbortSignal): Promise<boolean | undefined> {
    try {
      const { status, body } = await ask(address, `/node/${encodeURIComponent(name)}`, signal);
      const text = body.toString('utf8');
      if (status === 200 && text.startsWith('Node found')) return true;
      return status === 404 && text.startsWith('Node not found') ? false : undefined;
    } catch {
      return undefined;
    }
  }
}

async function ask(address: TcpAddress, path: string, signal: AbortSignal): Promise<Answer> {
  // The authority is what is being asked for, so nobody can be verified yet.
  const options: RequestOptions = { ...address, path, rejectUnauthorized: false, agent: false, signal };
  return new Promise((resolve, reject) => {
    const call = request(options, (response) => {
      const socket = response.socket as TLSSocket;
      const peer = socket.getPeerX509Certificate()?.raw;
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxAnswerBytes) response.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, body: Buffer.concat(chunks), peer, date: headers.date });
      });
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}

function unreachable(error: unknown, address: TcpAddress): Unreachable {
  const errno = errnoOf(error) ?? '';
  const reason = reasons[errno] ?? (/^ERR_(SSL|TLS)|^EPROTO/.test(errno) ? 'no-tls' : 'other');
  return { ok: false, reason, message: `${show(address)}: ${messageOf(error)}` };
}

function timedOut(address: TcpAddress): Unreachable {
  return { ok: false, reason: 'timed-out', message: `${show(address)} did not answer in time` };
}

function show({ host, port }: TcpAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
