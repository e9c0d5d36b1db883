import type { BrokerTarget, FrameTarget } from './link.ts';

/** What the board knows about its place in a cluster, once it has joined one. */
export interface EdgeNode {
  /** Name of the Node object. */
  readonly node: string;
  /** Version of edgecore such as `1.22.1`, where it could be told. */
  readonly edgecoreVersion: string | undefined;
  /** CloudHub and the certificate that edgecore got; undefined as long as no certificate was issued. */
  readonly hub:
    | {
        readonly host: string;
        readonly port: number;
        readonly projectId: string;
        readonly tls: FrameTarget['tls'];
      }
    | undefined;
  /** Broker of the event bus; undefined where edgecore runs without one. */
  readonly broker: Omit<BrokerTarget, 'clientId'> | undefined;
  /** Address of edgecore's own kube-API such as `http://127.0.0.1:10550`; undefined where it is off. */
  readonly metaServer: string | undefined;
}

/** Tells what the board has joined. */
export interface EdgeNodes {
  /** Undefined where the board belongs to no cluster: then nothing is sent to anybody. */
  read(): Promise<EdgeNode | undefined>;
  /** Calls back after join, leave and every change of the answer; the returned function ends it. */
  watch(listener: () => void): () => void;
}
