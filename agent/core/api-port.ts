/** What a caller may do: read, or change. */
export type Permission = 'observe' | 'operate';

/** One request to the agent as a value: whoever holds the socket fills it in. */
export interface ApiRequest {
  /** Upper-case method. */
  readonly method: string;
  /** Path with query as it came, e.g. `/v1/logs?unit=dockerd`. */
  readonly target: string;
  /** Text of the body; empty where there is none. */
  readonly body: string;
  /** What the way in allows. */
  readonly may: readonly Permission[];
  /** Aborts when the asker has gone or the agent stops. */
  readonly signal: AbortSignal;
}

/** Its answer: a status of HTTP and a JSON value. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Where a stream sends its messages; the holder of the socket decides who reads too slowly. */
export interface StreamSink {
  /** Sends one JSON value. Never throws; messages after the end are dropped. */
  send(message: unknown): void;
  /** Resolves when the reader has taken most of what was sent, or has gone. Whoever has more than news to send waits for it. */
  ready(): Promise<void>;
  /** Ends the stream with a reason that the reader sees. */
  end(reason: string): void;
}

/** Starts sending and returns the function that stops it. */
export type StreamStart = (sink: StreamSink) => () => void;

/** A stream is either refused with an answer or opened. */
export type StreamOpening =
  | { readonly how: 'refused'; readonly answer: ApiAnswer }
  | { readonly how: 'opened'; readonly start: StreamStart };

/** The whole API of the agent without a socket. Neither method ever rejects. */
export interface Api {
  handle(request: ApiRequest): Promise<ApiAnswer>;
  open(request: ApiRequest): StreamOpening;
}

/** One call of a client. */
export interface ApiCall {
  readonly method: 'GET' | 'POST';
  readonly target: string;
  /** JSON value of the body; absent sends none. */
  readonly body?: unknown;
  /** Milliseconds for the whole exchange. */
  readonly timeoutMs: number;
}

/** How a stream ended at the client. */
export type StreamEnd =
  | { readonly how: 'refused'; readonly answer: ApiAnswer }
  | { readonly how: 'closed'; readonly reason: string };

/**
 * Way to an agent. Rejects with AGENT_UNREACHABLE where nobody answers, TIMED_OUT at the deadline, and with the
 * signal's reason when it aborts.
 */
export interface ApiTransport {
  request(call: ApiCall, signal: AbortSignal): Promise<ApiAnswer>;
  /** Reads a stream until it ends; each message is one JSON value. */
  stream(target: string, listener: (message: unknown) => void, signal: AbortSignal): Promise<StreamEnd>;
}
