// What a person needs of a test run: each failure in full, then what was skipped with its reason, and the counts.
// A reporter of node:test, see https://nodejs.org/docs/latest-v20.x/api/test.html#custom-reporters; dots only on a terminal.
import path from 'node:path';
import { inspect } from 'node:util';

/** Turns the events of node:test into text. */
export default async function* report(events) {
  const skipped = new Map();
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const startedMs = Date.now();
  for await (const { type, data } of events) {
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message;
    if (type === 'test:fail' && isTest(data)) {
      counts.failed += 1;
      yield failure(data);
    }
    if (type !== 'test:pass' || !isTest(data)) continue;
    if (data.skip === undefined) {
      counts.passed += 1;
      if (process.stdout.isTTY) yield '.';
      continue;
    }
    counts.skipped += 1;
    skipped.set(data.skip, [...(skipped.get(data.skip) ?? []), data.name]);
  }
  if (process.stdout.isTTY) yield '\n';
  for (const [reason, names] of skipped) yield `skipped: ${String(reason)}\n${names.map(row).join('')}`;
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(0);
  yield `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped in ${seconds} s\n`;
}

/** node:test reports each file as a test of its own when it fails as a whole; a suite is counted by its tests. */
function isTest(data) {
  return data.details?.type !== 'suite';
}

function row(name) {
  return `  - ${name}\n`;
}

function failure({ name, file, line, details }) {
  const error = details.error?.cause ?? details.error;
  const where = file === undefined ? '' : ` (${path.relative(process.cwd(), file)}:${line})`;
  return `\nFAILED ${name}${where} after ${Math.round(details.duration_ms)} ms\n${inspect(error)}\n\n`;
}
