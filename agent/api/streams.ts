import { messageOf } from '../core/agent-error.ts';
import type { StreamStart } from '../core/api-port.ts';
import type { LogQuery } from '../core/unit-logs.ts';
import type { Verbs } from './verbs.ts';
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
    const sendStatus = (type: 'snapshot' | 'status'): void => {
      try {
        if (!isOver) send({ type, status: verbs.status() });
      } catch (error) {
        sink.end(messageOf(error));
      }
    };
    sendStatus('snapshot');
    const stop = verbs.watch((event) => {
      send({ type: 'event', event });
      if (isStatusDue) return;
      isStatusDue = true;
      queueMicrotask(() => {
        isStatusDue = false;
        sendStatus('status');
      });
    });
    return () => {
      isOver = true;
      stop();
    };
  };
}

/** Stream of log lines: those that are kept, then each new one; ends with the reason where the log cannot be read. */
export function followLogs(verbs: Pick<Verbs, 'logs'>, query: LogQuery): StreamStart {
  return (sink) => {
    const over = new AbortController();
    const pump = async (): Promise<void> => {
      for await (const line of verbs.logs({ ...query, isFollowing: true }, over.signal)) {
        sink.send({ type: 'line', line } satisfies LogMessage);
        await sink.ready();
      }
    };
    pump().then(
      () => sink.end('The log has ended'),
      (error: unknown) => sink.end(messageOf(error)),
    );
    return () => over.abort();
  };
}
