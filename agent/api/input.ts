import * as v from 'valibot';
import { AgentError } from '../core/agent-error.ts';
import type { LogQuery } from '../core/unit-logs.ts';

/** Most lines that one answer of the log carries. */
const maxLines = 10_000;
/** Longest time in milliseconds that an ordered stop may take. */
const maxDeadlineMs = 600_000;

// Functions, so that the shapes are made when somebody asks: all of them at every start were 2 ms until the API answered.

const wholeNumber = (max: number, fallback: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,15}$/, 'want a whole number'),
      v.transform(Number),
      v.maxValue(max, `want at most ${max}`),
    ),
    String(fallback),
  );

const unitName = () =>
  v.pipe(
    v.string(),
    v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'want a unit name such as dockerd (lower-case letters, digits, -)'),
  );
const milliseconds = () =>
  v.optional(v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'want milliseconds since 1970'), v.transform(Number)));
const hostName = () =>
  v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, 'want a host name such as example.org'),
  );
const hostAndPort = () =>
  v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,252}:\d{1,5}$/, 'want HOST:PORT such as 192.168.1.1:443'),
  );

/** Parameters of GET /v1/logs and /v1/logs/follow; the shape that comes out is the log's own query. */
export const logQuery = () =>
  v.pipe(
    v.strictObject({
      unit: v.optional(unitName(), 'agent'),
      n: wholeNumber(maxLines, 100),
      since: milliseconds(),
      grep: v.optional(
        v.pipe(v.string(), v.minLength(1, 'want some text'), v.maxLength(200, 'want at most 200 characters')),
      ),
    }),
    v.transform(
      ({ unit, n, since, grep }): LogQuery => ({
        unit,
        count: n,
        ...(since === undefined ? {} : { sinceMs: since }),
        ...(grep === undefined ? {} : { grep }),
      }),
    ),
  );

/** Parameters of GET /v1/events. */
export const eventsQuery = () => v.strictObject({ after: wholeNumber(Number.MAX_SAFE_INTEGER, 0) });

/** Parameters of GET /v1/ledger. */
export const ledgerQuery = () =>
  v.strictObject({
    after: wholeNumber(Number.MAX_SAFE_INTEGER, 0),
    n: wholeNumber(1_000, 50),
  });

/** Body of POST /v1/edge/join: any mapping; the edge room checks it, because an error of ours would quote the token. */
export const joinBody = () => v.record(v.string(), v.unknown());

const flag = (fallback: boolean) => v.optional(v.boolean('want true or false'), fallback);

/** Body of POST /v1/edge/leave. */
export const leaveBody = () =>
  v.pipe(
    v.strictObject({ removePods: flag(true), removeImages: flag(false), dryRun: flag(false) }),
    v.transform(({ removePods, removeImages, dryRun }) => ({
      removesPods: removePods,
      removesImages: removeImages,
      isDryRun: dryRun,
    })),
  );

/** Body of POST /v1/parts/:name/update. */
export const updateBody = () =>
  v.pipe(
    v.strictObject({
      file: v.pipe(v.string(), v.regex(/^\/[^\0]{1,1000}$/, 'want an absolute path')),
      sha256: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-fA-F]{64}$/, 'want 64 hexadecimal digits'))),
      version: v.optional(
        v.pipe(v.string(), v.regex(/^v?\d[0-9A-Za-z.+~-]{0,40}$/, 'want a version such as 27.5.1')),
      ),
      dryRun: flag(false),
    }),
    v.transform(({ dryRun, ...order }) => ({ ...order, isDryRun: dryRun })),
  );

/** Shape of a query or body of routes that take none. */
export const nothing = v.strictObject({});

/** Parameters in the path of the unit routes. */
export const unitParams = () => v.strictObject({ name: unitName() });

/** Body of POST /v1/selftest. */
export const selftestBody = () =>
  v.strictObject({
    dnsName: v.optional(hostName()),
    egress: v.optional(hostAndPort()),
    publish: v.optional(v.boolean('want true or false')),
  });

/** Body of POST /v1/shutdown. */
export const shutdownBody = () =>
  v.strictObject({
    for: v.optional(v.picklist(['reboot', 'stop'], 'want reboot or stop'), 'stop'),
    deadlineMs: v.optional(
      v.pipe(
        v.number('want a number'),
        v.integer('want a whole number'),
        v.minValue(0, 'want at least 0'),
        v.maxValue(maxDeadlineMs, `want at most ${maxDeadlineMs}`),
      ),
      20_000,
    ),
  });

type Schema = v.GenericSchema;

/** Value of the right shape, or REQUEST_INVALID with every problem and its path at once. */
export function parseInput<S extends Schema>(what: string, schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const problems = result.issues.slice(0, 10).map(describe);
  throw new AgentError('REQUEST_INVALID', `Cannot use the ${what}: ${problems.join('; ')}`);
}

function describe(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? '(whole)';
  const got = issue.received.length > 60 ? `${issue.received.slice(0, 57)}...` : issue.received;
  if (issue.type === 'strict_object' && issue.expected === 'never')
    return `${path.slice(0, 60)} is not known, want it left out`;
  const wish = issue.message.startsWith('want') ? issue.message : `want ${issue.expected ?? 'another value'}`;
  return `${path} is ${got}, ${wish}`;
}
