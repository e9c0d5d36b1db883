import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ApplyDocument, PlanDocument } from '../../agent/api/wire.ts';
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

/**
 * A root of our own shows the system's entries as they were when it was built; the system's root is out of reach then,
 * and so are they, were somebody to take one away.
 */
const systemEntry = /^(?:bind (\/[^/ ]+) on \S+\/newroot\1|mount tmpfs on \S+\/newroot)$/;

test('each mount and each rule that is taken away alone is found missing and put back', {
  skip: missing,
}, async (t) => {
  for (const layout of ['image', 'stock'] as const) {
    const rig = await Rig.start(t, layout);
    for (const line of [
      'ip link set lo up',
      'ip link add wlan0 type bridge',
      'ip addr add 192.168.7.2/24 dev wlan0',
      'ip link set wlan0 up',
      'ip route add default via 192.168.7.1 dev wlan0 table 102',
      'ip rule add pref 16000 iif lo fwmark 0/0xffff lookup 102',
      'ip link add docker0 type bridge',
      'ip addr add 172.17.0.1/16 dev docker0',
      'ip link set docker0 up',
    ]) {
      await rig.tool(line);
    }
    const { steps } = await rig.ask<PlanDocument>({ do: 'plan' });
    const ours = steps
      .filter(({ id, what }) => /^(?:mount|rule):/.test(id) && !systemEntry.test(what))
      .map(({ id }) => id);
    assert.ok(ours.length > 15, ours.join(' '));
    await rig.ask({ do: 'apply' });
    assert.deepEqual(await rig.kinds(), []);
    for (const id of ours) {
      const [kind, ...rest] = id.split(':');
      const target = rest.join(':');
      const take =
        kind === 'mount' ? `umount -l ${target}` : `ip rule del ${target.replace('from all ', '')}`;
      await rig.tool(take);
      const gone = await rig.kinds();
      assert.ok(gone.includes(id), `${layout}: ${take} leaves the plan ${gone.join(' ')}`);
      const { applied, left } = await rig.ask<ApplyDocument>({ do: 'apply' });
      assert.deepEqual(left, [], `${layout}: ${take}`);
      assert.ok(
        applied.some((step) => step.id === id),
        `${layout}: ${take}`,
      );
    }
  }
});
