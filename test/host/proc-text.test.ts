import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as proc from '../../agent/host/proc-text.ts';

test('the busy share is what was neither idle nor waiting for the disk', () => {
  const before = proc.parseCpuTicks('cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n');
  const after = proc.parseCpuTicks('cpu  160 0 70 910 60 0 0 0 0 0\n');
  assert.ok(before && after);
  assert.equal(proc.busyPercent(before, after), 40);
  assert.equal(proc.busyPercent(after, after), undefined);
  assert.equal(proc.parseCpuTicks('intr 5'), undefined);
});

test('memory is read in bytes, also from a kernel without MemAvailable', () => {
  const text =
    'MemTotal:        2031616 kB\nMemFree:          100000 kB\nMemAvailable:    1015808 kB\nHugePages_Total:       0\n';
  assert.deepEqual(proc.parseMemory(text), { totalBytes: 2_080_374_784, availableBytes: 1_040_187_392 });
  assert.equal(proc.parseMemory('MemTotal: 10 kB\nMemFree: 4 kB\n').availableBytes, 4_096);
});

test('interfaces are read even when a long counter touches the colon', () => {
  const text = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets',
    '    lo:    1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0',
    'wlan0:4294967296 12 0 0 0 0 0 0 77 9 0 0 0 0 0 0',
    'veth1@if2: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0',
  ].join('\n');
  assert.deepEqual(proc.parseNetwork(text), [
    { name: 'wlan0', receivedBytes: 4_294_967_296, sentBytes: 77 },
    { name: 'veth1@if2', receivedBytes: 5, sentBytes: 6 },
  ]);
});

test('only whole devices count as written, partitions and loops do not', () => {
  const text = [
    ' 179       0 mmcblk0 1 0 8 0 5 0 100 0 0 0 0',
    ' 179       1 mmcblk0p1 1 0 8 0 5 0 100 0 0 0 0',
    '   7       0 loop0 1 0 8 0 5 0 900 0 0 0 0',
    ' 253       0 vda 1 0 8 0 5 0 20 0 0 0 0',
  ].join('\n');
  assert.equal(proc.parseWrittenBytes(text), 120 * 512);
});

test('the wear of an eMMC is the worse area, and what it does not define is left out', () => {
  assert.equal(proc.parseUsedLife('0x01 0x03\n'), 30);
  assert.equal(proc.parseUsedLife('0x0b 0x01'), 110);
  assert.equal(proc.parseUsedLife('0x00 0x00'), undefined);
  assert.equal(proc.parseReserve('0x02\n'), 'warning');
  assert.equal(proc.parseReserve('0x00'), undefined);
});

test('a sensor that is off is no temperature', () => {
  assert.equal(proc.parseTemperature('48333\n'), 48.3);
  assert.equal(proc.parseTemperature('0'), undefined);
  assert.equal(proc.parseTemperature('-274000'), undefined);
  assert.equal(proc.parseTemperature(''), undefined);
});

test('the system is named by OpenHarmony as well as by os-release', () => {
  assert.equal(
    proc.parseSystemName('const.ohos.apiversion=12\nconst.ohos.fullname=OpenHarmony-5.0.0.71\n'),
    'OpenHarmony-5.0.0.71',
  );
  assert.equal(
    proc.parseSystemName('NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12"\n'),
    'Debian GNU/Linux 12',
  );
  assert.equal(proc.parseSystemName(''), undefined);
});
