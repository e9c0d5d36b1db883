/** One request to the Docker Engine API. */
export interface DockerRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path with query, e.g. `/containers/json?all=1`. */
  readonly path: string;
  /** JSON value, or raw bytes such as an image archive. */
  readonly body?: unknown;
  /** Milliseconds for the whole exchange. */
  readonly timeoutMs: number;
}

/** Its answer: any status; the body is at most 4 MiB. */
export interface DockerAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

/** Docker Engine API over dockerd's Unix socket. Rejects with TOOL_FAILED where nobody answers, TIMED_OUT at the deadline. */
export interface DockerApi {
  request(request: DockerRequest, signal: AbortSignal): Promise<DockerAnswer>;
}
