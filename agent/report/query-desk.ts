import type { DoctorDocument, StatusDocument } from '../api/wire.ts';
import { AgentError, type ErrorCode, isAgentError, messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Question, QuestionAnswer, QuestionDesk } from '../core/question.ts';
import type { Sample } from '../core/samples.ts';
import type { LogQuery, UnitLogLine } from '../core/unit-logs.ts';
import { rfc3339 } from '../core/utc-text.ts';
import type { LedgerRecord } from '../health/ledger.ts';
import type { Summary } from '../health/summary.ts';
import { metricsText, metricsType } from './metrics.ts';
import { type Asked, parseQuestion } from './parse-question.ts';
import { TokenBucket } from './token-bucket.ts';

/** What may be asked; all of it only reads. */
export interface QuerySources {
  status(): StatusDocument;
  summary(): Summary;
  sample(): Sample | undefined;
  ledger(after: number, limit: number): readonly LedgerRecord[];
  ledgerSequence(): number;
  doctor(signal: AbortSignal): Promise<DoctorDocument>;
  logs(query: LogQuery, signal: AbortSignal): AsyncIterable<UnitLogLine>;
  /** How the reports fare. */
  report(): unknown;
}

/** What the desk works with. */
export interface QueryDeskOptions {
  readonly sources: QuerySources;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether logs are shown: the router asks nobody who he is. */
  readonly showsLogs: boolean;
}

/** The edge itself waits 10 s, whoever asks in the cloud much less. */
const answerMs = 900;
const maxAnswerLength = 262_144;
const doctorFreshMs = 60_000;
const complaintMs = 60_000;
/** What an asker can do something about. Any other error may name files and programs of the board, and the router asks nobody who he is. */
const forAskers: readonly ErrorCode[] = [
  'REQUEST_INVALID',
  'FORBIDDEN',
  'BUSY',
  'NOT_FOUND',
  'UNIT_UNKNOWN',
  'TIMED_OUT',
];
const jsonType = 'application/json; charset=utf-8';

type Answerer = (asked: Asked) => unknown;

/**
 * Answers questions about the health of this board that come through the cloud's router. Errors are in the body: the
 * router tries again on any other status than 200 and then gives the asker an empty 500
 * (kubeedge/kubeedge cloud/pkg/router, 1.18 to 1.23).
 */
export class QueryDesk implements QuestionDesk {
  readonly #options: QueryDeskOptions;
  readonly #bucket: TokenBucket;
  #doctor: { readonly document: DoctorDocument; readonly atMs: number } | undefined;
  #isDoctorBusy = false;
  #complainedMs = Number.NEGATIVE_INFINITY;

  constructor(options: QueryDeskOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.clock, { perSecond: 200, burst: 200 });
  }

  async answer(question: Question): Promise<QuestionAnswer> {
    const late = new AbortController();
    try {
      if (!this.#bucket.take())
        throw new AgentError('BUSY', 'Cannot answer: too many questions, ask again in a second');
      const asked = parseQuestion(question, late.signal);
      if (asked.parts[0] === 'metrics') return { type: metricsType, body: await this.#metrics() };
      return json(this.#head(), await this.#inTime(() => this.#find(asked)(asked), late));
    } catch (error) {
      // Not the whole head: that the status cannot be had may be the very error.
      return json(this.#when(), { error: this.#errorOf(error) });
    } finally {
      late.abort();
    }
  }

  /** The details stay on the board: in its log, once a minute, because whoever may ask may ask often. */
  #errorOf(error: unknown): { readonly code: ErrorCode; readonly message: string } {
    if (isAgentError(error) && forAskers.includes(error.code))
      return { code: error.code, message: error.message };
    const { clock, log } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs - this.#complainedMs >= complaintMs) {
      this.#complainedMs = nowMs;
      log.warn('query.failed', { error: messageOf(error) });
    }
    const message = 'Cannot answer: something failed on the board; its log says what: agentctl logs agent';
    return { code: isAgentError(error) ? error.code : 'BUG', message };
  }

  #when(): object {
    return { schema: 1, time: rfc3339(this.#options.clock.wallMs()) };
  }

  #head(): object {
    return { ...this.#when(), node: this.#options.sources.status().agent.node };
  }

  #find({ parts }: Asked): Answerer {
    const [name = '', ...rest] = parts;
    const answerers: Readonly<Record<string, Answerer>> = {
      '': () => this.#overview(),
      conditions: () => ({ conditions: this.#options.sources.status().conditions, ...this.#causes() }),
      units: () => ({ units: this.#options.sources.status().units }),
      ledger: (asked) => this.#ledger(asked),
      doctor: () => this.#checkup(),
      logs: (asked) => this.#logs(asked),
      version: () => ({ version: this.#options.sources.status().agent.version }),
    };
    const answerer = Object.hasOwn(answerers, name) ? answerers[name] : undefined;
    const isDeepEnough = name === 'logs' ? rest.length === 1 : rest.length === 0;
    if (answerer !== undefined && isDeepEnough) return answerer;
    const known = `${Object.keys(answerers).filter(Boolean).join(', ')}, logs/UNIT, metrics`;
    throw new AgentError('NOT_FOUND', `Cannot answer: nothing of that name, want ${known}`);
  }

  #overview(): unknown {
    const { sources } = this.#options;
    const { agent, ready, units, prep } = sources.status();
    return {
      ready,
      ...this.#causes(),
      units: units.map(({ name, phase, reason, message, failures, starts, lastEnd }) => {
        return {
          name,
          phase,
          reason,
          message,
          failures,
          starts,
          ...(lastEnd === undefined ? {} : { lastEnd }),
        };
      }),
      agent: {
        version: agent.version,
        uptimeMs: agent.uptimeMs,
        bootId: agent.bootId,
        memoryBytes: agent.memoryBytes,
      },
      prep: { isPrepared: prep.isPrepared, repairs: prep.repairs },
      sample: sources.sample() ?? null,
      ledger: { newest: sources.ledgerSequence() },
      report: sources.report(),
    };
  }

  #causes(): object {
    const { roots, silenced } = this.#options.sources.summary();
    return {
      causes: roots.map(({ type, status, reason, message, sinceMs }) => ({
        type,
        status,
        reason,
        message,
        sinceMs,
      })),
      consequences: silenced.map(({ condition, by }) => ({
        type: condition.type,
        reason: condition.reason,
        by,
      })),
    };
  }

  #ledger({ after, limit }: Asked): unknown {
    const records = this.#options.sources.ledger(after, limit);
    const next = records.length === limit ? { next: records.at(-1)?.sequence } : {};
    return { records, ...next };
  }

  /** The checks may take long: the first question starts them, a later one gets what they found. */
  #checkup(): unknown {
    const { clock, sources } = this.#options;
    const isFresh = this.#doctor !== undefined && clock.nowMs() - this.#doctor.atMs < doctorFreshMs;
    if (!isFresh && !this.#isDoctorBusy) {
      this.#isDoctorBusy = true;
      void sources
        .doctor(new AbortController().signal)
        .then((document) => {
          this.#doctor = { document, atMs: clock.nowMs() };
        })
        .catch(() => undefined)
        .finally(() => {
          this.#isDoctorBusy = false;
        });
    }
    const state = isFresh ? 'fresh' : 'running';
    return this.#doctor === undefined ? { state } : { state, ...this.#doctor.document };
  }

  async #logs({ parts, limit, signal }: Asked): Promise<unknown> {
    const { sources } = this.#options;
    if (!this.#options.showsLogs) {
      throw new AgentError(
        'FORBIDDEN',
        'Cannot read logs: this board does not show them; set query.logs to allow it',
      );
    }
    const unit = parts[1] ?? '';
    const known = ['agent', ...sources.status().units.map(({ name }) => name)];
    if (!known.includes(unit)) {
      throw new AgentError('UNIT_UNKNOWN', `Cannot read logs: no such unit, want one of ${known.join(', ')}`);
    }
    const lines: UnitLogLine[] = [];
    for await (const line of sources.logs({ unit, count: limit }, signal)) lines.push(line);
    return { unit, lines: lines.slice(-limit) };
  }

  #metrics(): Promise<string> {
    const { sources } = this.#options;
    const [status, sample] = [sources.status(), sources.sample()];
    return metricsText({ status, sample, ledgerSequence: sources.ledgerSequence() });
  }

  async #inTime(act: () => unknown, late: AbortController): Promise<unknown> {
    let cancel: () => void = () => undefined;
    const over = new Promise<never>((_, reject) => {
      cancel = this.#options.clock.after(answerMs, () => {
        reject(new AgentError('TIMED_OUT', `Cannot answer within ${answerMs} ms: the board is busy`));
        late.abort();
      });
    });
    try {
      return await Promise.race([act(), over]);
    } finally {
      cancel();
    }
  }
}

function json(head: object, body: unknown): QuestionAnswer {
  const text = JSON.stringify({ ...head, ...(body as object) });
  if (text.length <= maxAnswerLength) return { type: jsonType, body: text };
  const message = `Cannot answer: ${text.length} characters, want at most ${maxAnswerLength}; ask with a smaller limit`;
  return { type: jsonType, body: JSON.stringify({ ...head, error: { code: 'TOO_LARGE', message } }) };
}
