import type { EdgeDocument } from '../api/wire.ts';
import type { Clock } from '../core/clock.ts';
import { underEither } from '../core/either-signal.ts';
import type { Files } from '../core/files.ts';
import type { HealthBoard } from '../health/board.ts';
import { judgeCertificate, readCertificate } from './certificate.ts';
import type { EdgePlaces } from './edge-places.ts';
import { readCertificates } from './join-look.ts';

/** What is watched with. */
export interface CertificateWatchPorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly board: HealthBoard;
  readonly places: EdgePlaces;
  /** Node that the certificate must be for; undefined where the board has joined nothing. */
  readonly node: () => { readonly name: string; readonly version: string | undefined } | undefined;
}

const condition = 'CertificateValid';
const lookMs = 60_000;
/** While there is no certificate yet the next one is expected any moment. */
const soonMs = 5_000;

/** Keeps the condition CertificateValid true to the files on disk; edgecore renews them by itself. */
export class CertificateWatch {
  readonly #ports: CertificateWatchPorts;
  #wake: () => void = () => undefined;
  last: EdgeDocument['certificate'];

  constructor(ports: CertificateWatchPorts) {
    this.#ports = ports;
  }

  /** Looks at once instead of at the next interval. */
  look(): void {
    this.#wake();
  }

  /** Looks until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const pauseMs = await this.#see();
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      const { clock } = this.#ports;
      await underEither(signal, woken.signal, (either) => clock.sleep(pauseMs, either)).catch(
        () => undefined,
      );
      signal.throwIfAborted();
    }
  }

  async #see(): Promise<number> {
    const { node, files, places, board, clock } = this.#ports;
    const owner = node();
    const texts = owner === undefined ? undefined : await readCertificates(files, places);
    const facts = texts === undefined ? undefined : readCertificate(texts.certPem, texts.caPem);
    if (owner === undefined || facts === undefined) {
      this.last = undefined;
      board.clear(condition);
      return owner === undefined ? lookMs : soonMs;
    }
    const minor = Number(/^1\.(\d+)/.exec(owner.version ?? '')?.[1] ?? 0);
    const { status, reason, message } = judgeCertificate(facts, { name: owner.name, minor }, clock.wallMs());
    this.last = { notAfterMs: facts.notAfterMs, reason, message };
    board.set(condition, status, { reason, message });
    return lookMs;
  }
}
