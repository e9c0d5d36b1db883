import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseStat, readFacts } from '../../agent/host/proc-reader.ts';
import { hierarchyRoots } from '../../agent/host/root-groups.ts';

const rest = Array.from({ length: 49 }, (_, index) => String(index + 3)).join(' ');

test('a stat line is read past any name, with brackets and blanks in it', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 15 }), (name) => {
      const stat = parseStat(`42 (${name}) S 1 ${rest}`);
      assert.deepEqual(stat, { pid: 42, name, state: 'S', parentPid: 1, startTicks: 20 });
    }),
  );
});

test('a torn stat line is no process', () => {
  const line = `42 (dockerd) S 1 ${rest}`;
  for (let length = 0; length < 60; length += 1) assert.equal(parseStat(line.slice(0, length)), undefined);
});

test('this process is found in /proc as it is', () => {
  const facts = readFacts(process.pid);
  assert.equal(facts?.parentPid, process.ppid);
  assert.equal(facts?.exe, process.execPath);
  assert.equal(facts?.argv[0], process.argv0 === 'node' ? facts?.argv[0] : process.argv0);
  assert.ok((facts?.startTicks ?? 0) > 0);
});

test('the root of each hierarchy is found by the controllers that mount it, never through a bind mount of a group', () => {
  const mountinfo = [
    '30 20 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755',
    '31 30 0:27 / /sys/fs/cgroup/cpu rw,nosuid - cgroup cgroup rw,cpu',
    '32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct',
    '33 30 0:29 / /dev/cpuset rw - cgroup none rw,cpuset,noprefix,release_agent=/sbin/cpuset_release_agent',
    '34 30 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd',
    '35 30 0:31 /docker/abc /mnt/memory rw - cgroup cgroup rw,memory',
    '36 30 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate',
  ].join('\n');
  assert.deepEqual(Object.fromEntries(hierarchyRoots(mountinfo)), {
    cpu: '/sys/fs/cgroup/cpu',
    'cpu,cpuacct': '/sys/fs/cgroup/cpu,cpuacct',
    cpuset: '/dev/cpuset',
    'name=systemd': '/sys/fs/cgroup/systemd',
    '': '/sys/fs/cgroup/unified',
  });
});

test('the memory of a process, which may hang, is not read by whoever asks for its state', (t) => {
  const read = t.mock.method(fs, 'readFileSync');
  const paths = (): readonly string[] => read.mock.calls.map(({ arguments: [path] }) => String(path));
  const facts = readFacts(process.pid);
  assert.equal(facts?.state, 'R');
  assert.deepEqual(paths(), [`/proc/${process.pid}/stat`]);
  assert.notEqual(facts?.argv[0], undefined);
  assert.deepEqual(paths().slice(1), [`/proc/${process.pid}/cmdline`]);
});
