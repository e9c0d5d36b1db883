import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartsDocument, UpdateDocument } from '../../agent/api/wire.ts';
import { skip } from '../contract/namespace-rig.ts';
import { isBuilt, type Run, startRig } from './agent-rig.ts';

test('an agent on a board is replaced by one that works, not by one that ends at once, and goes back', {
  skip,
}, async (t) => {
  assert.ok(isBuilt, 'run `npm run build`');
  const ask = await startRig(t, 100);
  const ctl = async (line: string): Promise<Run> => ask<Run>('ctl', line);
  const change = async (line: string): Promise<UpdateDocument> => {
    const { code, stdout, stderr } = await ctl(`${line} --json`);
    assert.ok(code === 0 || code === 1, `${code} ${stderr} ${await ask<string>('said')}`);
    return JSON.parse(stdout) as UpdateDocument;
  };
  const up = await ctl('wait --timeout 100s');
  assert.equal(up.code, 0, `${up.stderr} ${await ask<string>('said')}`);

  await ask('make', '7.7.7');
  const good = await change('update agent --from /data/7.7.7.tar');
  assert.equal(good.ok, true, JSON.stringify(good));
  assert.equal(good.to.version, '7.7.7');
  assert.equal(await ask('ends'), 1, 'the agent ended once, to make room');

  await ask('make', '8.8.8 broken');
  const broken = await change('update agent --from /data/8.8.8.tar');
  assert.equal(broken.ok, false, JSON.stringify(broken));
  assert.equal(broken.outcome.reason, 'NeverConfirmed');
  assert.equal(broken.to.version, '7.7.7');
  assert.equal(
    await ask('ends'),
    4,
    'to make room, and twice by itself; the launcher waits where init would not',
  );
  const said = await ask<string>('said');
  assert.match(said, /broken on purpose/);
  assert.match(said, /8\.8\.8-\w{12} was started 2 times and did not confirm itself; starting 7\.7\.7-/);

  const back = await change('rollback agent');
  assert.equal(back.ok, true, JSON.stringify(back));
  assert.equal(back.to.slot, 'image');
  const { parts } = JSON.parse((await ctl('update --list --json')).stdout) as PartsDocument;
  const agent = parts.find(({ part }) => part === 'agent');
  assert.equal(agent?.former?.version, '7.7.7');
  const ledger = await ctl('ledger --json');
  for (const reason of ['Switched', 'Confirmed', 'NeverConfirmed'])
    assert.match(ledger.stdout, new RegExp(reason));
});
