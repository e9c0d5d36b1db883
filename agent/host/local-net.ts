import { createSocket } from 'node:dgram';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import type { TcpAddress } from '../core/cloud-probe.ts';
import type { LocalNet } from '../core/local-net.ts';
import { readStat } from './proc-reader.ts';

/** State of an established connection in /proc/net/tcp. */
const established = '01';
const maxAnswerBytes = 65_536;

/** The network stack that this process sees. */
export class HostLocalNet implements LocalNet {
  /** Who was connected at the last look, and is asked first: a look at all processes costs, and this one is known. */
  #known: { readonly pid: number; readonly startTicks: number; readonly argument: string } | undefined;

  async isPortFree(port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
    });
  }

  /** Connecting a datagram socket sends nothing, but makes the kernel choose route and source. */
  async sourceAddress(towards: TcpAddress): Promise<string | undefined> {
    return new Promise((resolve) => {
      const socket = createSocket(towards.host.includes(':') ? 'udp6' : 'udp4');
      const end = (address: string | undefined): void => {
        socket.close();
        resolve(address);
      };
      socket.once('error', () => end(undefined));
      socket.connect(towards.port, towards.host, () => {
        const { address } = socket.address();
        end(address === '0.0.0.0' || address === '::' ? undefined : address);
      });
    });
  }

  async isConnectedTo(remotePort: number, argument: string): Promise<boolean> {
    const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => ''));
    const inodes = new Set((await Promise.all(tables)).flatMap((text) => inodesTo(text, remotePort)));
    if (inodes.size === 0) return false;
    const known = this.#known;
    if (known?.argument === argument && readStat(known.pid)?.startTicks === known.startTicks)
      if (await holdsSocket(known.pid, inodes)) return true;
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    // Arguments last: they lie in the memory of the process, and where a disk that hangs holds that, it holds one of Node's few
    // threads, too.
    const isFound = async (pid: number): Promise<boolean> =>
      (await holdsSocket(pid, inodes)) && (await hasArgument(pid, argument));
    const found = await Promise.all(pids.map(isFound));
    const pid = pids.find((_, index) => found[index] === true);
    const startTicks = pid === undefined ? undefined : readStat(pid)?.startTicks;
    this.#known = pid === undefined || startTicks === undefined ? undefined : { pid, startTicks, argument };
    return pid !== undefined;
  }

  async get(url: string, signal: AbortSignal): Promise<{ status: number; text: string } | undefined> {
    return new Promise((resolve) => {
      const request = get(url, { signal, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > maxAnswerBytes) response.destroy();
        });
        response.on('close', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', () => resolve(undefined));
      });
      request.on('error', () => resolve(undefined));
    });
  }
}

/** Inodes of established connections to a remote port, from the text of /proc/net/tcp. */
export function inodesTo(text: string, remotePort: number): readonly string[] {
  const wanted = remotePort.toString(16).toUpperCase().padStart(4, '0');
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, , remote = '', state] = fields;
    const inode = fields[9];
    return state === established && remote.endsWith(`:${wanted}`) && inode !== undefined ? [inode] : [];
  });
}

async function hasArgument(pid: number, argument: string): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0').some((one) => one === argument || one.endsWith(`=${argument}`));
}

async function holdsSocket(pid: number, inodes: ReadonlySet<string>): Promise<boolean> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const name of names) {
    const target = await readlink(`/proc/${pid}/fd/${name}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}
