/** One HTTP request to a server on the loopback interface. */
export interface HttpCall {
  readonly method: 'GET' | 'PATCH';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds for the whole exchange. */
  readonly timeoutMs: number;
}

/** Its answer; the body is at most 1 MiB, the rest is cut off. */
export interface HttpReply {
  readonly status: number;
  readonly body: string;
}

/** Calls plain HTTP servers. Rejects with AGENT_UNREACHABLE where nobody answers, TIMED_OUT at the deadline. */
export interface HttpCaller {
  call(call: HttpCall, signal: AbortSignal): Promise<HttpReply>;
}
