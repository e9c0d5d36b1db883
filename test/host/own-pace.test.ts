import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Script } from 'node:vm';
import { OwnPace, withOwnSettings } from '../../agent/host/own-pace.ts';

/** Whether a Node that was just started takes code that this one compiled. */
function isTakenAtStart(file: string, source: string): boolean {
  const look = `
    const cachedData = require('node:fs').readFileSync(${JSON.stringify(file)});
    const script = new (require('node:vm').Script)(${JSON.stringify(source)}, { filename: 'it', cachedData });
    console.log(script.cachedDataRejected);`;
  return execFileSync(process.execPath, ['-e', look], { encoding: 'utf8' }).trim() === 'false';
}

test('an agent at rest keeps code that its next start takes', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pace-'));
  const pace = new OwnPace();
  t.after(() => {
    pace.stop();
    rmSync(folder, { recursive: true });
  });
  const file = path.join(folder, 'code');
  const source = 'function one() { return 1; } one();';
  const script = new Script(source, { filename: 'it' });
  pace.start();
  writeFileSync(file, script.createCachedData());
  assert.equal(
    isTakenAtStart(file, source),
    false,
    'what is compiled at rest is refused: hence the settings',
  );
  writeFileSync(
    file,
    withOwnSettings(() => script.createCachedData()),
  );
  assert.equal(isTakenAtStart(file, source), true);
});
