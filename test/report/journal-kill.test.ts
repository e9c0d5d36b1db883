import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { build } from 'esbuild';
import { connectAsync } from 'mqtt';
import { Mosquitto, noMosquitto } from '../fakes/mosquitto.ts';

/** AGENT_KILLS=200 is the long run. */
const kills = Number(process.env['AGENT_KILLS'] ?? 20);

interface Arrived {
  readonly sequence: number;
  readonly kind: string;
  readonly event?: { readonly id: string };
}

/** Everything that reaches the broker on the journal's topic. */
async function listener(url: string): Promise<{ arrived: Arrived[]; end: () => Promise<void> }> {
  const arrived: Arrived[] = [];
  const client = await connectAsync(url, { clientId: 'cloud', keepalive: 600 });
  client.on('message', (_topic, payload) => arrived.push(JSON.parse(payload.toString()) as Arrived));
  await client.subscribeAsync('default/agent/report', { qos: 1 });
  return { arrived, end: () => client.endAsync(true) };
}

/** Runs the writer, kills it with SIGKILL after so many lines and a while, and returns what it called safe. */
async function killedAfter(lines: number, waitMs: number, argv: readonly string[]): Promise<string[]> {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line.replace('ack ', ''));
    if (said.length === lines) setTimeout(() => child.kill('SIGKILL'), waitMs);
  }
  return said;
}

test(`nothing that the journal took is lost or reordered over ${kills} kill -9 and a real broker`, {
  skip: noMosquitto,
  timeout: 900_000,
}, async (t) => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'journal-kill-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const broker = await Mosquitto.start();
  t.after(() => broker.end());
  const { arrived, end } = await listener(broker.url);
  t.after(end);
  const program = path.join(directory, 'journal-writer.mjs');
  const entryPoints = ['test/programs/journal-writer.ts'];
  const options = { bundle: true, platform: 'node', format: 'esm', target: 'node20' } as const;
  // One file with all in it starts faster; what is CommonJS in it still wants its require.
  const js = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;
  await build({ ...options, entryPoints, outfile: program, banner: { js } });

  const safe: string[] = [];
  for (let run = 0; run < kills; run += 1) {
    const [lines, waitMs] = [1 + Math.floor(Math.random() * 40), Math.random() * 8];
    safe.push(...(await killedAfter(lines, waitMs, [program, directory, broker.url, String(run)])));
  }
  const last = spawn(process.execPath, [program, directory, broker.url, 'end', 'drain'], {
    stdio: 'inherit',
  });
  assert.deepEqual(await once(last, 'close'), [0, null]);

  assert.ok(safe.length >= kills, 'a writer did not even start');
  const sequences = arrived.map(({ sequence }) => sequence);
  const fresh = [...new Set(sequences)];
  assert.deepEqual(
    fresh,
    fresh.toSorted((a, b) => a - b),
    'what arrives for the first time arrives in order',
  );
  const events = new Set(arrived.flatMap(({ event }) => (event === undefined ? [] : [event.id])));
  assert.deepEqual(
    safe.filter((id) => !events.has(id)),
    [],
    'every one that was called safe arrives',
  );
  assert.equal(arrived.filter(({ kind }) => kind === 'loss').length, 0);
  const again = sequences.length - fresh.length;
  assert.ok(again <= kills, `${again} came again; only the one under way during a kill may`);
  process.stdout.write(
    `${kills} kills: ${safe.length} called safe, ${events.size} arrived, ${again} messages twice\n`,
  );
});
