import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDevices } from '../../scripts/cloud/find-device.ts';
import type { Kube, KubeObject } from '../../scripts/cloud/kube.ts';

const place = { generation: 'v1beta1', namespace: 'factory' } as const;

/** A cluster whose boards 1 to 3 have a Device, and board 1 a DeviceStatus; it notes what it is asked. */
function fleet() {
  const asked: string[] = [];
  const object = (kind: string, name: string): KubeObject => ({ apiVersion: '', kind, metadata: { name } });
  const all = [
    ...[1, 2, 3].map((board) => object('Device', `board-${board}-agent`)),
    object('DeviceStatus', 'board-1-agent'),
  ];
  const kube = {
    read: ({ kind, metadata }) => {
      asked.push(`read ${kind} ${metadata.namespace}/${metadata.name}`);
      return Promise.resolve(all.find((one) => one.kind === kind && one.metadata.name === metadata.name));
    },
    list: (apiVersion, kind, namespace) => {
      asked.push(`list ${apiVersion} ${kind} in ${namespace}`);
      return Promise.resolve(all.filter((one) => one.kind === kind));
    },
  } satisfies Partial<Kube>;
  return { asked, kube: kube as unknown as Kube };
}

test('a whole fleet is two questions, however many boards are looked up', async () => {
  const { asked, kube } = fleet();
  const find = await findDevices(kube, place, true);
  const found = await Promise.all(Array.from({ length: 1_000 }, (_, index) => find(`board-${index}`)));
  assert.deepEqual(asked, [
    'list devices.kubeedge.io/v1beta1 Device in factory',
    'list devices.kubeedge.io/v1beta1 DeviceStatus in factory',
  ]);
  assert.equal(found.filter(({ device }) => device !== undefined).length, 3);
  assert.deepEqual([found[1]?.status?.kind, found[2]?.status], ['DeviceStatus', undefined]);
});

test('one board is asked for by name: no list of thousands is moved for it', async () => {
  const { asked, kube } = fleet();
  const find = await findDevices(kube, place, false);
  const { device, status } = await find('board-1');
  assert.deepEqual([device?.kind, status?.kind], ['Device', 'DeviceStatus']);
  assert.deepEqual(asked, ['read Device factory/board-1-agent', 'read DeviceStatus factory/board-1-agent']);
});
