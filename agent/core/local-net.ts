import type { TcpAddress } from './cloud-probe.ts';

/** The network of this board, as far as edgecore depends on it. */
export interface LocalNet {
  /** Reports whether a TCP port of 127.0.0.1 could be listened on now. */
  isPortFree(port: number): Promise<boolean>;
  /** Address that packets to there would come from, whatever table decides that; undefined where there is no way. */
  sourceAddress(towards: TcpAddress): Promise<string | undefined>;
  /**
   * Reports whether a process that has `argument` among its arguments has an established TCP connection to this remote port;
   * false where /proc does not tell.
   */
  isConnectedTo(remotePort: number, argument: string): Promise<boolean>;
  /** GET of a loopback URL; undefined where nobody answers within the signal. */
  get(
    url: string,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly text: string } | undefined>;
}
