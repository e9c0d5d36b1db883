import type { StreamSink, StreamStart } from '../core/api-port.ts';
import type { LogQuery, Verbs } from './verbs.ts';
import type { LogMessage, WatchMessage } from './wire.ts';

/**
 * Stream of the whole state: the snapshot first, then every event; after an event the changed status follows, once for
 * all events of one turn of the loop.
 */
export function watchStatus(verbs: Pick<Verbs, 'status' | 'watch'>): StreamStart {
  return (sink) => {
    const send = (message: WatchMessage) => sink.send(message);
    let isStatusDue = false;
    let isOver = false;
    send({ type: 'snapshot', status: verbs.status() });
    const stop = verbs.watch((event) => {
      send({ type: 'event', event });
      if (isStatusDue) return;
      isStatusDue = true;
      queueMicrotask(() => {
        isStatusDue = false;
        if (!isOver) send({ type: 'status', status: verbs.status() });
      });
    });
    return () => {
      isOver = true;
      stop();
    };
  };
}

/** Stream of log lines: those that are there, then each new one. */
export function followLogs(verbs: Pick<Verbs, 'followLogs'>, query: LogQuery): StreamStart {
  return (sink: StreamSink) =>
    verbs.followLogs(query, (line) => sink.send({ type: 'line', line } satisfies LogMessage));
}
