import type * as v from 'valibot';
import type { Permission, StreamStart } from '../core/api-port.ts';
import { nothing, parseInput, unitParams } from './input.ts';
import type { Verbs } from './verbs.ts';

type Schema = v.GenericSchema;

/** A request taken apart, none of it checked yet. */
export interface RawCall {
  readonly verbs: Verbs;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** JSON value of the body; an empty object where there is none. */
  readonly body: unknown;
  /** Aborts when the asker has gone; never for routes that survive that. */
  readonly signal: AbortSignal;
}

/** What a handler gets: everything checked and typed by the row's shapes. */
interface Call<Q extends Schema, B extends Schema> {
  readonly verbs: Verbs;
  /** Unit named in the path; empty on routes without one. */
  readonly unit: string;
  readonly query: v.InferOutput<Q>;
  readonly body: v.InferOutput<B>;
  readonly signal: AbortSignal;
}

interface Row<Q extends Schema, B extends Schema> {
  /** Path whose `:name` part is a unit. */
  readonly path: string;
  readonly needs: Permission;
  /** Shape of the query parameters. @default none are taken */
  readonly query?: () => Q;
  /** Shape of the JSON body. @default none is taken */
  readonly body?: () => B;
}

interface AnswerRow<Q extends Schema, B extends Schema> extends Row<Q, B> {
  readonly method: 'GET' | 'POST';
  /** Whether the work goes on to its end although the asker has gone: half a change is worse than either. */
  readonly survives?: true;
  readonly handle: (call: Call<Q, B>) => unknown;
}

interface StreamRow<Q extends Schema> extends Row<Q, typeof nothing> {
  readonly stream: (call: Call<Q, typeof nothing>) => StreamStart;
}

interface Base {
  readonly path: string;
  readonly parts: readonly string[];
  readonly needs: Permission;
}

/** Route that is answered once. */
export interface AnswerRoute extends Base {
  readonly kind: 'answer';
  readonly method: 'GET' | 'POST';
  readonly survives: boolean;
  readonly run: (call: RawCall) => unknown;
}

/** Route that is a WebSocket. */
export interface StreamRoute extends Base {
  readonly kind: 'stream';
  readonly method: 'GET';
  readonly run: (call: RawCall) => StreamStart;
}

export type Route = AnswerRoute | StreamRoute;

/** Makes a route whose input is checked against the row's shapes before its handler sees it. */
export function answer<Q extends Schema = typeof nothing, B extends Schema = typeof nothing>(
  row: AnswerRow<Q, B>,
): AnswerRoute {
  const { path, needs, method, survives = false } = row;
  const run = (raw: RawCall) => row.handle(checked(row, raw));
  return { kind: 'answer', method, path, parts: path.split('/'), needs, survives, run };
}

/** Makes a route that is a WebSocket. */
export function stream<Q extends Schema = typeof nothing>(row: StreamRow<Q>): StreamRoute {
  const { path, needs } = row;
  const run = (raw: RawCall) => row.stream(checked(row, raw));
  return { kind: 'stream', method: 'GET', path, parts: path.split('/'), needs, run };
}

function checked<Q extends Schema, B extends Schema>(row: Row<Q, B>, raw: RawCall): Call<Q, B> {
  const { verbs, signal } = raw;
  const unit = row.path.includes(':name') ? parseInput('path', unitParams(), raw.params).name : '';
  const query = parseInput('query', row.query?.() ?? nothing, raw.query) as v.InferOutput<Q>;
  const body = parseInput('body', row.body?.() ?? nothing, raw.body) as v.InferOutput<B>;
  return { verbs, unit, query, body, signal };
}
