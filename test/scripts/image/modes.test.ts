import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parseModes } from '../../../scripts/image/modes.ts';

test('a row gives kind, mode, owner and whether a stock image lacks it', () => {
  assert.deepEqual(
    parseModes('# why\n\nd 0700 root root /root mountpoint\nf 0755 root shell /system/bin/agentctl\n'),
    [
      { kind: 'd', mode: 0o700, uid: 0, gid: 0, path: '/root', isMountPoint: true },
      { kind: 'f', mode: 0o755, uid: 0, gid: 2000, path: '/system/bin/agentctl', isMountPoint: false },
    ],
  );
});

test('all broken rows are reported at once, with their lines', () => {
  const text =
    'x 0755 root root /a\nd 755 root root /b\nd 0755 nobody root /c\nd 0755 root root /d\nf 0644 root root /d\n';
  assert.throws(
    () => parseModes(text),
    /line 1: want.*line 2: want.*line 3: unknown owner nobody.*line 5: \/d is there twice/,
  );
});

test('the table of the overlay is readable and keeps the mount points apart', async () => {
  const rows = parseModes(await readFile('sysroot-overlay/MODES', 'utf8'));
  const mountPoints = rows.filter((row) => row.isMountPoint).map((row) => row.path);
  assert.ok(['/run', '/var', '/opt', '/usr'].every((name) => mountPoints.includes(name)));
  assert.ok(!mountPoints.includes('/system/etc/init/oh_edge_agent.cfg'));
});
