/** How a session ended, as a reason word for programs and a sentence for people. */
export interface LinkEnd {
  /** PascalCase, e.g. `Closed`, `Refused`, `Unreachable`, `CertificateRejected`, `ClockWrong`. */
  readonly reason: string;
  readonly message: string;
  /** Whether trying again soon is pointless, because a person must change something first. */
  readonly isPermanent: boolean;
}

/** A link could not be opened; carries the same facts as an end. */
export class LinkError extends Error {
  readonly end: LinkEnd;

  constructor(end: LinkEnd, options?: ErrorOptions) {
    super(end.message, options);
    this.name = 'LinkError';
    this.end = end;
  }
}

/** Where a broker is and how it is entered. */
export interface BrokerTarget {
  /** `tcp://127.0.0.1:1884` or `ssl://…`, as edgecore.yaml writes it. */
  readonly url: string;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM files for a broker with TLS. */
  readonly tls?: { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
}

/** One message of a broker. */
export interface BrokerMessage {
  readonly topic: string;
  readonly payload: string;
}

/** A live session with a broker. */
export interface BrokerSession {
  /** Resolves when the broker has taken the message (QoS 1). Rejects with the signal's reason or when the session ends. */
  publish(message: BrokerMessage, signal: AbortSignal): Promise<void>;
  /** Asks for topics; resolves when the broker grants them. */
  subscribe(topics: readonly string[], signal: AbortSignal): Promise<void>;
  /** Calls back for each message of a subscribed topic; one that is longer than 256 KiB ends the session. */
  onMessage(listener: (message: BrokerMessage) => void): void;
  /** Resolves once, never rejects. */
  readonly ended: Promise<LinkEnd>;
  close(): Promise<void>;
}

/** Opens sessions with a broker. Knows nothing of trying again: that is decided where the clock is. */
export interface BrokerLink {
  /** Rejects with LinkError, or with the signal's reason. */
  open(target: BrokerTarget, signal: AbortSignal): Promise<BrokerSession>;
}

/** Where a message hub is and who asks. */
export interface FrameTarget {
  readonly host: string;
  readonly port: number;
  /** Path of the upgrade request. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM files: the only CA that is believed, and the one certificate that is shown. */
  readonly tls: { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
}

/** A live session that carries text frames. */
export interface FrameSession {
  /** Queues one text frame. False where the session is over or too much waits unsent. */
  send(text: string): boolean;
  /** Calls back for each text frame, at most 4 MiB long. */
  onFrame(listener: (text: string) => void): void;
  /** Resolves once, never rejects. */
  readonly ended: Promise<LinkEnd>;
  /** Closes politely within `graceMs`, then cuts the socket; resolves when the socket is gone. */
  close(graceMs: number): Promise<void>;
}

/** Opens frame sessions. */
export interface FrameLink {
  /** Rejects with LinkError, or with the signal's reason. */
  open(target: FrameTarget, signal: AbortSignal): Promise<FrameSession>;
}
