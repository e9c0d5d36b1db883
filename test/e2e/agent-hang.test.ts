import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerDocument, StatusDocument } from '../../agent/api/wire.ts';
import { type Ask, skip } from '../contract/namespace-rig.ts';
import { isBuilt, type Run, startRig } from './agent-rig.ts';

async function ready(ask: Ask): Promise<StatusDocument> {
  const up = await ask<Run>('ctl', 'wait --timeout 100s');
  assert.equal(up.code, 0, `${up.stderr} ${await ask<string>('said')}`);
  return JSON.parse((await ask<Run>('ctl', 'status --json')).stdout) as StatusDocument;
}

test('an agent that hangs is killed, and the next one takes its unit over and tells of it', {
  skip,
}, async (t) => {
  assert.ok(isBuilt, 'run `npm run build`');
  const ask = await startRig(t, 3);
  const before = await ready(ask);
  await ask('hang');
  await ask('until-ended');
  const after = await ready(ask);
  assert.notEqual(after.agent.pid, before.agent.pid);
  assert.equal(after.units[0]?.pid, before.units[0]?.pid);
  assert.match(await ask<string>('said'), /agent \d+ says nothing for 9 s \(state T\); killing it/);
  const hung = async () => {
    const { stdout } = await ask<Run>('ctl', 'ledger --json');
    return (JSON.parse(stdout) as LedgerDocument).records.filter(({ reason }) => reason === 'AgentHung');
  };
  const [told] = await hung();
  assert.equal(told?.message, 'Its main thread was silent for 9 s, so it was killed and started anew');
  assert.match(told.evidence?.join('\n') ?? '', /state T[^]*wchan: [^]*VmRSS: /);

  assert.equal((await ask<Run>('ctl', 'restart agent')).code, 0);
  await ready(ask);
  assert.equal(await ask('end'), 0);
  assert.equal(await ask('ends'), 3, 'it hung once, and was started anew and ended once on request');
});
