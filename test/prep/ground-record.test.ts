import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordKeeper } from '../../agent/prep/ground-record.ts';
import { lookAtGround } from '../../agent/prep/look.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { machineOf, openHarmony, settingsOf } from './worlds.ts';

test('how the board was before is written down as soon as a full disk has room, for the next agent to undo', async () => {
  const disk = new FakeDisk();
  const keeper = new RecordKeeper(disk, '/state/ground.json');
  const settings = settingsOf(openHarmony);
  const observed = await lookAtGround(machineOf(openHarmony), settings, new AbortController().signal);
  await keeper.load(observed.bootId);
  const step = {
    kind: 'write-sysctl',
    id: 's',
    what: '',
    why: '',
    name: 'net.ipv4.ip_forward',
    value: '1',
  } as const;
  assert.notEqual(observed.sysctls[step.name], undefined);
  disk.fail('ENOSPC');
  await assert.rejects(keeper.note(step, observed), { code: 'FILE_FAILED' });
  await keeper.load(observed.bootId);
  disk.fail(undefined);
  await keeper.load(observed.bootId);
  const next = await new RecordKeeper(disk, '/state/ground.json').load(observed.bootId);
  assert.deepEqual(next.sysctls, { [step.name]: observed.sysctls[step.name] });
});
