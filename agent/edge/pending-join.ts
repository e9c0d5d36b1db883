import type { JoinDocument, UnitStatus } from '../api/wire.ts';
import type { Clock } from '../core/clock.ts';
import { statusOf } from './edge-units.ts';
import type { BackupPorts, JoinBackup } from './join-backup.ts';
import { readCertificates } from './join-look.ts';

/** How a join went. */
export type JoinOutcome = Required<Pick<JoinDocument, 'joined' | 'outcome'>>;

/** Longest wait for a certificate and a ready edgecore, in milliseconds. */
const outcomeMs = 120_000;
const lookMs = 500;

/**
 * A join whose steps are done, until it is clear whether it holds. It goes on where whoever ordered it has gone, and the
 * next agent goes on with it where this one ends: a refusal by the cloud takes everything back.
 */
export class PendingJoin {
  readonly outcome: Promise<JoinOutcome>;
  readonly #ports: BackupPorts & { readonly clock: Clock };
  readonly #before: JoinBackup;
  readonly #over = new AbortController();

  constructor(ports: BackupPorts & { readonly clock: Clock }, before: JoinBackup) {
    this.#ports = ports;
    this.#before = before;
    this.outcome = this.#watch();
    // Nobody may be there to hear it.
    this.outcome.catch(() => undefined);
  }

  /** Stops looking and leaves everything as it is. */
  async stop(): Promise<void> {
    this.#over.abort(new DOMException('Nobody waits for the join any more', 'AbortError'));
    await this.outcome.catch(() => undefined);
  }

  /** Decides now: it holds where the cloud has given a certificate. */
  async conclude(): Promise<void> {
    const { files, places } = this.#ports;
    let isOpen = true;
    void this.outcome.then(
      () => (isOpen = false),
      () => undefined,
    );
    await this.stop();
    if (!isOpen) return;
    if ((await readCertificates(files, places)) === undefined) await this.#before.restore();
    else await this.#before.discard();
  }

  async #watch(): Promise<JoinOutcome> {
    const { clock, files, places, units } = this.#ports;
    const deadline = clock.nowMs() + outcomeMs;
    for (;;) {
      const status = statusOf(units(), 'edgecore');
      const hasCertificates = (await readCertificates(files, places)) !== undefined;
      if (hasCertificates && status?.phase === 'ready') return this.#settle(true, connected);
      if (status !== undefined && isRefused(status)) {
        await this.#before.restore();
        return { joined: false, outcome: refusal(status) };
      }
      if (clock.nowMs() >= deadline) return this.#settle(hasCertificates, patience(status));
      await clock.sleep(lookMs, this.#over.signal);
    }
  }

  async #settle(joined: boolean, outcome: JoinOutcome['outcome']): Promise<JoinOutcome> {
    await this.#before.discard();
    return { joined, outcome };
  }
}

const connected = { reason: 'Connected', message: 'The node has its certificate and edgecore is connected' };

/** A fault that trying again does not cure: the cloud said no, or something on the board must be changed first. */
function isRefused({ phase, reason }: UnitStatus): boolean {
  return phase === 'failed' && reason !== 'CrashLoop';
}

function refusal({ reason, message }: UnitStatus): JoinOutcome['outcome'] {
  return { reason, message: `${message}. Everything is as it was before` };
}

function patience(status: UnitStatus | undefined): JoinOutcome['outcome'] {
  const { reason, message } = status ?? { reason: 'Unknown', message: 'nothing is known of it' };
  return { reason, message: `edgecore goes on trying: ${message}; see \`agentctl status\`` };
}
