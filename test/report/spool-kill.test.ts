import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { build } from 'esbuild';
import { AppendStore } from '../../agent/host/append-store.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { Spool } from '../../agent/report/spool.ts';

/** SPOOL_KILLS=200 is the long run. */
const kills = Number(process.env['SPOOL_KILLS'] ?? 50);

/** Runs the writer until it has said so many lines, kills it with SIGKILL and returns every line it got out. */
async function killedAfter(
  lines: number,
  program: string,
  directory: string,
  run: number,
): Promise<string[]> {
  const child = spawn(process.execPath, [program, directory, String(run)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === lines) child.kill('SIGKILL');
  }
  return said;
}

test(`nothing acknowledged is lost and nothing is reordered over ${kills} kill -9`, {
  timeout: 180_000,
}, async (t) => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'spool-kill-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const program = path.join(directory, 'spool-writer.mjs');
  const entryPoints = ['test/programs/spool-writer.ts'];
  await build({
    entryPoints,
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });

  const acknowledged: string[] = [];
  const delivered: string[] = [];
  const inFlight = new Map<string, number>();
  for (let run = 0; run < kills; run += 1) {
    const lines = 1 + Math.floor(Math.random() * 40);
    const said = await killedAfter(lines, program, directory, run);
    const sent = said.filter((line) => line.startsWith('sent ')).map((line) => line.slice(5));
    acknowledged.push(...said.filter((line) => line.startsWith('ack ')).map((line) => line.slice(4)));
    delivered.push(...sent);
    const last = sent.at(-1);
    if (last !== undefined) inFlight.set(last, (inFlight.get(last) ?? 0) + 1);
  }

  const storage = { files: new FileStore(), appends: new AppendStore() };
  const limits = { items: 10_000, bytes: 4_000_000 };
  const spool = new Spool({ storage, path: `${directory}/spool.records`, limits });
  assert.equal(await spool.start(), 0, 'a kill tears at most the last line');
  for (let item = spool.first(); item !== undefined; item = spool.first()) {
    if (item.kind === 'event') delivered.push((item.body as { id: string }).id);
    await spool.done(item.sequence);
  }

  const counts = new Map<string, number>();
  for (const id of delivered) counts.set(id, (counts.get(id) ?? 0) + 1);
  const lost = acknowledged.filter((id) => !counts.has(id));
  assert.deepEqual(lost, []);
  const doubled = [...counts].filter(([id, count]) => count > 1 + (inFlight.get(id) ?? 0));
  assert.deepEqual(doubled, [], 'only what was being delivered during a kill comes again');
  const order = [...counts.keys()].map((id) => id.split('.').map(Number));
  const sorted = order.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0));
  assert.deepEqual(order, sorted);
  const again = [...inFlight].filter(([id]) => (counts.get(id) ?? 0) > 1).length;
  t.diagnostic(`${acknowledged.length} acknowledged, ${counts.size} delivered, ${again} of them twice`);
});
