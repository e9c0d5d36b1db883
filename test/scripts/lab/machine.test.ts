import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelArguments, machineArguments } from '../../../scripts/lab/qemu.ts';

const settings = {
  image: { kernel: '/k', initrd: '/i', system: '/s.img', vendor: '/v.img', emptyData: '/e.img' },
  dataDisk: '/d.img',
  sockets: '/tmp/x',
  consoleLog: '/tmp/console.log',
  cgroup: 'v1' as const,
  withoutControllers: [] as string[],
  forwards: [] as { host: number; board: number }[],
};

test('the system and vendor disks are read-only and known by their names', () => {
  const line = machineArguments(settings).join(' ');
  assert.match(line, /id=system,format=raw,file=\/s\.img,readonly=on/);
  assert.match(line, /drive=vendor,serial=vendor/);
});

test('a forwarded port listens on the loopback only', () => {
  const line = machineArguments({ ...settings, forwards: [{ host: 8080, board: 80 }] }).join(' ');
  assert.match(line, /hostfwd=tcp:127\.0\.0\.1:8080-:80/);
});

test('controllers that are left out are switched off in the kernel', () => {
  const line = kernelArguments({ cgroup: 'v2', withoutControllers: ['pids'] });
  assert.match(line, /cgroup_disable=\S*,pids( |$)/);
  assert.match(line, /ohos\.boot\.lab_cgroup=v2/);
});
