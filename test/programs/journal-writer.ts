// Puts news into the journal of an agent and sends it to a broker until it is killed. Says on stdout what the caller
// was told to be safe, each line in one write. With `drain` it puts nothing and ends when everything is sent.
// Usage: journal-writer DIRECTORY BROKER RUN [drain]
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppendStore } from '../../agent/host/append-store.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { MqttLink } from '../../agent/host/mqtt-link.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { Journal } from '../../agent/report/journal.ts';
import { Spool } from '../../agent/report/spool.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const [directory = '', url = '', run = '0', mode = ''] = process.argv.slice(2);
const log = new QuietLog();
const spool = new Spool({
  storage: { files: new FileStore(), appends: new AppendStore() },
  path: `${directory}/journal.records`,
  limits: { items: 100_000, bytes: 40_000_000 },
});
await spool.start();

/** The journal leaves 200 ms between two messages; here they become two. */
class FastClock extends SystemClock {
  override sleep(ms: number, signal: AbortSignal): Promise<void> {
    return super.sleep(ms / 100, signal);
  }
}

const journal = new Journal({ spool, clock: new FastClock(), log, topic: 'default/agent/report' });
const nowhere = { edgecoreVersion: undefined, hub: undefined, broker: undefined, metaServer: undefined };
const stop = new AbortController();
const session = await new MqttLink().open({ url, clientId: 'journal-writer' }, stop.signal);
const sending = journal.run(session, { ...nowhere, node: 'board-1' }, stop.signal);

if (mode === 'drain') {
  while (spool.size > 0) await sleep(20);
  stop.abort();
  await sending;
  await session.close();
} else {
  for (let index = 0; ; index += 1) {
    const id = `${run}.${index}`;
    await journal.take({ kind: 'event', body: { id, text: 'x'.repeat((index * 37) % 400) } });
    writeSync(1, `ack ${id}\n`);
    if (index % 3 === 0) await journal.take({ kind: 'state', key: 'twin', body: id });
    await sleep(1);
  }
}
