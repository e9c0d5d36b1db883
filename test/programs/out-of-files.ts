// Run with a small `ulimit -n`: uses up its descriptors, does what starts programs of its own accord, and prints how that went
// and what came of it. Usage: node out-of-files.mjs DIRECTORY BUSYBOX
import { closeSync, openSync } from 'node:fs';
import { messageOf } from '../../agent/core/agent-error.ts';
import { HostGroundWatch } from '../../agent/host/ground-watch.ts';
import { HostProductFiles } from '../../agent/host/host-product-files.ts';

const [directory = '', busybox = ''] = process.argv.slice(2);
const taken: number[] = [];
try {
  for (;;) taken.push(openSync('/dev/null', 'r'));
} catch {
  // One is left for the file that the listener is written to; its pipe wants two.
  closeSync(taken.pop() ?? -1);
}
const watch = new HostGroundWatch(directory, () => undefined);
const { signal } = new AbortController();
const sum = await new HostProductFiles(busybox).sum(busybox, signal).catch(messageOf);
for (const descriptor of taken) closeSync(descriptor);
await new Promise((resolve) => setImmediate(resolve));
console.log(JSON.stringify({ isLive: watch.isLive(), sum }));
watch.close();
