/** A TCP address. */
export interface TcpAddress {
  /** Name or IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Why nothing could be reached, as a word for programs. */
export type UnreachableReason = 'name-unknown' | 'refused' | 'no-route' | 'timed-out' | 'no-tls' | 'other';

/** Nobody was reached. */
export interface Unreachable {
  readonly ok: false;
  readonly reason: UnreachableReason;
  /** One clause with the facts, e.g. `connect ECONNREFUSED 10.0.0.5:10002`. */
  readonly message: string;
}

/** What cloudcore's enrolment port said. */
export interface EnrolmentAnswer {
  readonly ok: true;
  /** DER of the authority as served at /ca.crt, believed by nobody yet. */
  readonly authorityDer: Uint8Array;
  /** DER of the certificate that the port showed. */
  readonly serverDer: Uint8Array;
  /** Wall-clock milliseconds of the answer's Date header; undefined where it has none. */
  readonly dateMs: number | undefined;
}

/** Asks cloudcore a few bounded questions before anything is changed. None of them rejects but for the signal. */
export interface CloudProbe {
  /** Opens a TCP connection and closes it again. */
  reach(address: TcpAddress, signal: AbortSignal): Promise<{ readonly ok: true } | Unreachable>;
  /** GET /ca.crt without believing anybody: the hash in the token decides later. */
  enrolment(address: TcpAddress, signal: AbortSignal): Promise<EnrolmentAnswer | Unreachable>;
  /** GET /node/NAME (cloudcore 1.20 and later); undefined where the cloud does not say. */
  hasNode(address: TcpAddress, name: string, signal: AbortSignal): Promise<boolean | undefined>;
}
