import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { missing, KernelRig as Rig } from './kernel-rig.ts';

test('an agent that died after some steps goes on where it was, on the real kernel too', {
  skip: missing,
}, async (t) => {
  for (const dieAfter of [3, 48, 74, 78, 79]) {
    const rig = await Rig.start(t, 'stock');
    await rig.ask({ do: 'renew', dieAfter });
    await rig.ask({ do: 'apply' });
    await rig.ask({ do: 'renew' });
    await rig.ask({ do: 'apply' });
    assert.equal((await rig.condition('Prepared'))?.reason, 'AsPlanned', `after ${dieAfter} steps`);
    assert.deepEqual(await rig.kinds(), []);
  }
});

test('what a pod mounts for others is seen by the units, and the system sees nothing', {
  skip: missing,
}, async (t) => {
  for (const layout of ['image', 'stock'] as const) {
    const before = readFileSync('/proc/1/mountinfo', 'utf8');
    const rig = await Rig.start(t, layout);
    await rig.ask({ do: 'apply' });
    const volume = '/var/lib/kubelet/volume';
    await rig.tool(`mkdir ${volume}`);
    // A container with a Bidirectional volume: its own namespace, whose mounts are shared with the host's.
    await rig.tool(
      `unshare -m --propagation shared /system/opt/oh-edge-agent/bin/busybox mount -t tmpfs pod ${volume}`,
    );
    assert.match(
      (await rig.ask<string>({ do: 'read', path: '/proc/self/mountinfo' })) ?? '',
      / \/var\/lib\/kubelet\/volume .*tmpfs pod/,
    );
    assert.equal(readFileSync('/proc/1/mountinfo', 'utf8'), before);
  }
});
