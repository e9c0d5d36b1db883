import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Dispatcher, EnvHttpProxyAgent, fetch, type Response } from 'undici';
import { AgentError, messageOf } from '../../agent/core/agent-error.ts';
import type { DownloadProgress } from './progress.ts';

/** How hard a download is tried. */
export interface DownloadPolicy {
  readonly tries: number;
  /** Milliseconds before the second try; doubled before each further one. */
  readonly retryMs: number;
  /** Milliseconds without a byte after which a connection counts as dead. */
  readonly stallMs: number;
}

export const usualPolicy: DownloadPolicy = { tries: 5, retryMs: 1_000, stallMs: 30_000 };

/** One file to bring here. */
export interface DownloadOrder {
  readonly url: string;
  /** Path of the whole file; what is not whole yet lies beside it as `.part`. */
  readonly target: string;
  /** Exact size where it is known, in bytes. */
  readonly size: number | null;
  readonly sizeLimit: number;
}

/** What a download needs from its surroundings. */
export interface DownloadTools {
  readonly policy: DownloadPolicy;
  readonly progress: DownloadProgress;
  readonly dispatcher: Dispatcher;
}

/** A dispatcher that goes through the proxies named by HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
export function proxyDispatcher(): Dispatcher {
  return new EnvHttpProxyAgent();
}

/** A failure that another try cannot mend. */
class FinalError extends AgentError {}

function final(order: DownloadOrder, problem: string): FinalError {
  return new FinalError('TOOL_FAILED', `Cannot fetch ${order.url}: ${problem}`);
}

/**
 * Fetches a file into `<target>.part`, goes on where an earlier try or run stopped, and returns that path when the file
 * is whole. Whether it is the right file is for the caller to find out before it takes the `.part` away.
 */
export async function download(order: DownloadOrder, tools: DownloadTools): Promise<string> {
  let waitMs = tools.policy.retryMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await attemptOnce(order, tools);
      return partOf(order);
    } catch (error) {
      if (error instanceof FinalError) throw error;
      const problem = causeOf(error);
      if (attempt >= tools.policy.tries) {
        throw new AgentError(
          'TOOL_FAILED',
          `Cannot fetch ${order.url}: ${problem}, after ${attempt} tries; run it again to go on where it stopped`,
          { cause: error },
        );
      }
      tools.progress.say(`${order.url}: ${problem}; trying again`);
      await delay(waitMs);
      waitMs *= 2;
    }
  }
}

/** undici hides why a connection failed one level down. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? `${messageOf(error)} (${cause.message})` : messageOf(error);
}

function partOf({ target }: DownloadOrder): string {
  return `${target}.part`;
}

/** Removes what is left of a download, so that the next one starts at the first byte. */
export async function dropPartial(target: string): Promise<void> {
  await rm(`${target}.part`, { force: true });
  await rm(`${target}.part.tag`, { force: true });
}

async function attemptOnce(order: DownloadOrder, tools: DownloadTools): Promise<void> {
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(stalled(tools.policy)), tools.policy.stallMs);
  try {
    const have = await sizeOf(partOf(order));
    const response = await ask(order, have, { signal: stall.signal, dispatcher: tools.dispatcher });
    const start = await startOf(order, response, have);
    const total = totalOf(response, start);
    refuseSize(order, total);
    await rememberTag(order, response);
    const seen = (bytes: number): void => {
      timer.refresh();
      if (bytes > (total ?? order.sizeLimit))
        throw final(order, `it sends more than ${total ?? order.sizeLimit} bytes`);
      tools.progress.at(nameOf(order), bytes, total);
    };
    await save(response, order, { start, seen });
    const bytes = await sizeOf(partOf(order));
    if (total !== null && bytes < total)
      throw new Error(`the connection ended at ${bytes} of ${total} bytes`);
  } catch (error) {
    throw stall.signal.aborted ? stall.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

function stalled({ stallMs }: DownloadPolicy): Error {
  return new Error(`no byte came for ${stallMs / 1000} s`);
}

function nameOf({ url }: DownloadOrder): string {
  return new URL(url).pathname.split('/').at(-1) ?? url;
}

async function ask(
  order: DownloadOrder,
  have: number,
  how: { readonly signal: AbortSignal; readonly dispatcher: Dispatcher },
): Promise<Response> {
  // A proxy or server that compresses on the way would make sizes and ranges mean something else.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (have > 0) {
    headers['range'] = `bytes=${have}-`;
    const tag = await readFile(`${partOf(order)}.tag`, 'utf8').catch(() => '');
    if (tag !== '') headers['if-range'] = tag;
  }
  const response = await fetch(order.url, { headers, ...how });
  if (order.url.startsWith('https:') && !response.url.startsWith('https:')) {
    throw final(
      order,
      `it leads from https to ${response.url}; take the file by another way and use --offline`,
    );
  }
  return response;
}

/** Where the body goes: behind what is here, or at the start where the server does not go on. */
async function startOf(order: DownloadOrder, response: Response, have: number): Promise<number> {
  if (response.status === 200) return 0;
  if (response.status === 206) {
    const start = Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]);
    if (start === have) return have;
  }
  await response.body?.cancel();
  if (response.status === 206 || response.status === 416) {
    await dropPartial(order.target);
    throw new Error('the server cannot go on where the last try stopped');
  }
  const problem = `the server answered ${response.status} ${response.statusText}`.trim();
  if (response.status >= 500 || response.status === 408 || response.status === 429) throw new Error(problem);
  throw final(order, `${problem}; check the version, or name a mirror that has it with --mirror`);
}

/** Size of the whole file as the server tells it. */
function totalOf(response: Response, start: number): number | null {
  const range = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  if (range !== undefined) return Number(range);
  const length = response.headers.get('content-length');
  return length === null ? null : start + Number(length);
}

function refuseSize(order: DownloadOrder, total: number | null): void {
  if (total === null) return;
  if (total > order.sizeLimit)
    throw final(order, `it has ${total} bytes, at most ${order.sizeLimit} are taken`);
  if (order.size !== null && total !== order.size)
    throw final(order, `it has ${total} bytes, want ${order.size}`);
}

async function rememberTag(order: DownloadOrder, response: Response): Promise<void> {
  const tag = response.headers.get('etag');
  // A weak tag promises the same meaning, not the same bytes.
  if (tag === null || tag.startsWith('W/')) await rm(`${partOf(order)}.tag`, { force: true });
  else await writeFile(`${partOf(order)}.tag`, tag);
}

interface Saving {
  readonly start: number;
  readonly seen: (bytes: number) => void;
}

/** Writes each piece before it takes the next, so that a broken connection costs nothing that came. */
async function save(response: Response, order: DownloadOrder, { start, seen }: Saving): Promise<void> {
  if (response.body === null) throw new Error('the server sent no body');
  const file = await open(partOf(order), start === 0 ? 'w' : 'a');
  let bytes = start;
  try {
    for await (const chunk of response.body) {
      bytes += chunk.length;
      seen(bytes);
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
