// What a person needs of a test run: each failure in full, then what was skipped with its reason, and the counts.
// A reporter of node:test, see https://nodejs.org/docs/latest-v20.x/api/test.html#custom-reporters; dots only on a terminal.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';

/** Turns the events of node:test into text. */
// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter as the default export
export default async function* report(events) {
  const tests = { passed: 0, failed: 0, skipped: new Map(), failedFiles: new Set() };
  const startedMs = Date.now();
  for await (const { type, data } of events) {
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message;
    if ((type === 'test:pass' || type === 'test:fail') && isTest(data)) yield told(type, data, tests);
  }
  yield* summary(tests, (Date.now() - startedMs) / 1000);
  const { FAILED_FILES: list } = process.env;
  if (list !== undefined) writeFileSync(list, JSON.stringify([...tests.failedFiles]));
}

/** Counts one test and returns what is said of it at once. */
function told(type, data, tests) {
  const dot = process.stdout.isTTY ? '.' : '';
  if (type === 'test:fail') {
    tests.failed += 1;
    // Without one nobody can say what to run again.
    tests.failedFiles.add(data.file ?? null);
    return failure(data);
  }
  if (data.skip === undefined) {
    tests.passed += 1;
    return dot;
  }
  const reason = data.skip === true ? 'no reason given' : data.skip;
  tests.skipped.set(reason, [...(tests.skipped.get(reason) ?? []), data.name]);
  return dot;
}

function* summary({ passed, failed, skipped }, seconds) {
  yield '\n';
  for (const [reason, names] of skipped) yield `skipped: ${reason}\n${names.map(row).join('')}`;
  const count = [...skipped.values()].flat().length;
  yield `${passed} passed, ${failed} failed, ${count} skipped in ${seconds.toFixed(0)} s\n`;
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
