// Puts events into a spool and takes some out until it is killed. Says on stdout what was acknowledged and what was
// delivered, each line in one write, so that the reader knows what a crash must not lose.
// Usage: spool-writer DIRECTORY RUN
import { writeSync } from 'node:fs';
import { AppendStore } from '../../agent/host/append-store.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { Spool } from '../../agent/report/spool.ts';

const [directory = '', run = '0'] = process.argv.slice(2);
const spool = new Spool({
  storage: { files: new FileStore(), appends: new AppendStore() },
  path: `${directory}/spool.records`,
  limits: { items: 10_000, bytes: 4_000_000 },
});
await spool.start();
for (let index = 0; ; index += 1) {
  const body = { id: `${run}.${index}`, text: 'x'.repeat((index * 37) % 400) };
  await spool.put({ kind: 'event', body });
  writeSync(1, `ack ${body.id}\n`);
  if (index % 3 === 0) await spool.put({ kind: 'state', key: 'twin', body: body.id });
  if (index % 2 === 0) await deliver();
}

async function deliver(): Promise<void> {
  const item = spool.first();
  if (item === undefined) return;
  if (item.kind === 'event') writeSync(1, `sent ${(item.body as { id: string }).id}\n`);
  await spool.done(item.sequence);
}
