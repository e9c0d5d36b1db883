import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ProcSamples } from '../../agent/host/proc-samples.ts';

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(path.join(os.tmpdir(), 'samples-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return root;
}

test('the files of an RK3568 become one sample', async (t) => {
  const root = tree({
    'proc/stat': 'cpu  10 0 10 80 0 0 0 0 0 0\n',
    'proc/loadavg': '0.42 0.30 0.20 1/200 999\n',
    'proc/meminfo': 'MemTotal: 2000 kB\nMemAvailable: 500 kB\n',
    'proc/net/dev':
      'x\ny\n eth0: 100 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0\n wlan0: 1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n',
    'proc/diskstats': ' 179 0 mmcblk0 1 0 8 0 5 0 100 0 0 0 0\n',
    'proc/device-tree/model': 'Rockchip RK3568 EVB\0',
    'proc/sys/kernel/osrelease': '5.10.184\n',
    'system/etc/param/ohos.para': 'const.ohos.fullname=OpenHarmony-5.0.0.71\n',
    'sys/class/net/eth0/operstate': 'up\n',
    'sys/class/net/wlan0/operstate': 'down\n',
    'sys/class/thermal/thermal_zone0/temp': '45000\n',
    'sys/class/thermal/thermal_zone1/temp': '51900\n',
    'sys/class/thermal/cooling_device0/type': 'fan\n',
    'sys/block/mmcblk0/device/life_time': '0x01 0x02\n',
    'sys/block/mmcblk0/device/pre_eol_info': '0x01\n',
    'sys/block/mmcblk0boot0/device/life_time': '0x01 0x01\n',
  });
  t.after(() => rmSync(root, { recursive: true }));
  const samples = new ProcSamples({ disks: [root, '/nowhere/at/all'], root });
  const sample = await samples.sample();
  assert.equal(sample.cpuPercent, undefined);
  writeFileSync(path.join(root, 'proc/stat'), 'cpu  20 0 10 170 0 0 0 0 0 0\n');
  assert.equal((await samples.sample()).cpuPercent, 10);
  assert.equal(sample.load, 0.42);
  assert.deepEqual(sample.memory, { totalBytes: 2_048_000, availableBytes: 512_000 });
  assert.equal(sample.temperatureC, 51.9);
  assert.deepEqual(sample.wear, [{ device: 'mmcblk0', usedLifePercent: 20, reserve: 'normal' }]);
  assert.equal(sample.writtenBytes, 51_200);
  assert.deepEqual(
    sample.network.map(({ name, isUp }) => [name, isUp]),
    [
      ['eth0', true],
      ['wlan0', false],
    ],
  );
  assert.deepEqual(
    sample.disks.map((disk) => disk.path),
    [root],
  );
  const inventory = await samples.inventory();
  assert.deepEqual(
    [inventory.model, inventory.system, inventory.kernel],
    ['Rockchip RK3568 EVB', 'OpenHarmony-5.0.0.71', '5.10.184'],
  );
});

test('an empty /proc and /sys give an empty sample, not an error', async (t) => {
  const root = tree({});
  t.after(() => rmSync(root, { recursive: true }));
  const sample = await new ProcSamples({ disks: [], root }).sample();
  assert.deepEqual(sample.memory, { totalBytes: 0, availableBytes: 0 });
  assert.deepEqual([sample.disks, sample.wear, sample.network], [[], [], []]);
});

test('on this machine memory agrees with the library that everybody uses', async () => {
  const { default: information } = await import('systeminformation');
  const [ours, theirs] = [await new ProcSamples({ disks: ['/'] }).sample(), await information.mem()];
  assert.equal(ours.memory.totalBytes, theirs.total);
  assert.ok(Math.abs(ours.memory.availableBytes - theirs.available) < 0.2 * theirs.total);
  assert.ok((ours.disks[0]?.totalBytes ?? 0) > 0);
});
