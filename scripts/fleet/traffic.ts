import type {
  BrokerLink,
  BrokerSession,
  BrokerTarget,
  FrameLink,
  FrameSession,
  FrameTarget,
} from '../../agent/core/link.ts';

/** Overhead of one MQTT publish besides topic and payload: fixed header, lengths, packet id, and its acknowledgement. */
const publishBytes = 12;
/** Header of a masked WebSocket frame below 64 KiB. */
const frameBytes = 8;

/** What passed on one kind of link: the moment of each message on the clock of the fleet, and bytes of all. */
export interface Passed {
  readonly atMs: number[];
  bytes: number;
}

/** Counts what a whole fleet sends, and knows when nothing is under way. */
export class Traffic {
  /** Twin updates: each becomes one write of a Device object. */
  readonly twins: Passed = { atMs: [], bytes: 0 };
  /** Everything else on MQTT. */
  readonly questions: Passed = { atMs: [], bytes: 0 };
  /** Patches of Node objects. */
  readonly patches: Passed = { atMs: [], bytes: 0 };
  /** Events of Node objects. */
  readonly events: Passed = { atMs: [], bytes: 0 };
  readonly keepalives: Passed = { atMs: [], bytes: 0 };
  /** Sessions with CloudHub that were asked for, and how many of them came about. */
  readonly sessions: Passed = { atMs: [], bytes: 0 };
  sessionsOpened = 0;
  /** Sockets being opened, messages without their answer. */
  #busy = 0;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get isIdle(): boolean {
    return this.#busy === 0;
  }

  /** Gives up what is under way and never came back. */
  forget(): void {
    this.#busy = 0;
  }

  /** A broker link that is counted. */
  broker(inner: BrokerLink): BrokerLink {
    return {
      open: async (target: BrokerTarget, signal: AbortSignal) =>
        this.#wrapBroker(await this.#during(inner.open(target, signal))),
    };
  }

  /** A link to CloudHub that is counted. */
  hub(inner: FrameLink): FrameLink {
    return {
      open: async (target: FrameTarget, signal: AbortSignal) => {
        this.#note(this.sessions, 0);
        const session = await this.#during(inner.open(target, signal));
        this.sessionsOpened += 1;
        return this.#wrapHub(session);
      },
    };
  }

  #wrapBroker(session: BrokerSession): BrokerSession {
    const asked = this.#asked(session.ended);
    session.onMessage(({ topic }) => {
      if (topic.endsWith('/result')) asked.answered();
    });
    return {
      ended: session.ended,
      publish: (message, signal) => {
        const isTwin = message.topic.endsWith('/twin/update');
        const bytes = Buffer.byteLength(message.topic) + Buffer.byteLength(message.payload) + publishBytes;
        this.#note(isTwin ? this.twins : this.questions, bytes);
        if (isTwin || message.topic.endsWith('/membership/get')) asked.ask();
        return this.#during(session.publish(message, signal));
      },
      subscribe: (topics, signal) => this.#during(session.subscribe(topics, signal)),
      onMessage: (listener) => session.onMessage(listener),
      close: () => this.#during(session.close()),
    };
  }

  #wrapHub(session: FrameSession): FrameSession {
    const asked = this.#asked(session.ended);
    session.onFrame((text) => {
      if (text.includes('"parent_msg_id"')) asked.answered();
    });
    return {
      ended: session.ended,
      send: (text) => {
        const isPatch = text.includes('"operation":"patch"');
        const kind = isPatch ? this.patches : text.includes('/event/') ? this.events : this.keepalives;
        const isQueued = session.send(text);
        if (!isQueued) return false;
        this.#note(kind, Buffer.byteLength(text) + frameBytes);
        if (isPatch) asked.ask();
        return true;
      },
      onFrame: (listener) => session.onFrame(listener),
      close: (graceMs) => this.#during(session.close(graceMs)),
    };
  }

  /** Questions of one session; those that are open when it ends will never be answered. */
  #asked(ended: Promise<unknown>): { readonly ask: () => void; readonly answered: () => void } {
    let open = 0;
    void ended.then(() => {
      this.#busy = Math.max(0, this.#busy - open);
      open = 0;
    });
    return {
      ask: () => {
        open += 1;
        this.#busy += 1;
      },
      answered: () => {
        if (open === 0) return;
        open -= 1;
        this.#busy = Math.max(0, this.#busy - 1);
      },
    };
  }

  #note(kind: Passed, bytes: number): void {
    kind.atMs.push(this.#nowMs());
    kind.bytes += bytes;
  }

  async #during<T>(act: Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await act;
    } finally {
      this.#busy = Math.max(0, this.#busy - 1);
    }
  }
}
