import type { Board } from '../board.ts';
import { eventually, expectEqual } from './expect.ts';
import type { Scenario } from './scenario.ts';

const scratch = '/data/local/tmp';

/** What a service gets from init and what happens to it, on the running board; needs no agent. */
export const init: Scenario = {
  summary: 'what services get from init, restart, stop, reboot',
  run: async ({ boot, progress }) => {
    const board = await boot();
    await progress.step('a service gets exactly what OpenHarmony gives it', () => inheritance(board));
    await progress.step('four quick exits end the restarts', () => crashes(board));
    await progress.step('a sandboxed service sees another mount table', () => sandbox(board));
    await progress.step('stop runs the job and kills the main process only', () => stopping(board));
    await progress.step('the network is as netmanager leaves it', () => network(board));
    await progress.step('a reboot keeps /data and loses /dev', () => reboot(board));
    await progress.step('power off', () => board.powerOff());
  },
};

async function probe(board: Board, name: string): Promise<Map<string, string>> {
  const file = `${scratch}/${name}`;
  await board.run(`rm -f ${file}; service_control start ${name}`);
  await eventually(`${name} writes its report`, 10_000, async () => {
    const { stdout } = await board.exec(`cat ${file}`);
    return stdout.includes('oom_score_adj=') || 'no report yet';
  });
  const lines = (await board.run(`cat ${file}`)).trim().split('\n');
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

async function inheritance(board: Board): Promise<void> {
  const free = await probe(board, 'lab_probe');
  const names = [...free.keys()].filter((key) => key.startsWith('env ')).sort();
  expectEqual('environment', names, ['env DOWNLOAD_CACHE', 'env HOME', 'env LAB', 'env TERM', 'env TMPDIR']);
  for (const stream of ['stdin', 'stdout', 'stderr']) expectEqual(stream, free.get(stream), '/dev/null');
  expectEqual('umask', free.get('umask'), '022');
  expectEqual('limits', free.get('nofile'), '32768/32768 nice=40');
  expectEqual('oom_score_adj', free.get('oom_score_adj'), '-1000');
  // With "setuid": true SECBIT_NO_SETUID_FIXUP and its lock; without, the lock of SECBIT_KEEP_CAPS (exec clears the bit itself).
  expectEqual('securebits with setuid', free.get('securebits'), '12');
  expectEqual('PR_SET_KEEPCAPS with setuid', free.get('keepcaps-call'), '0');
  const locked = await probe(board, 'lab_probe_locked');
  expectEqual('securebits without setuid', locked.get('securebits'), '32');
  expectEqual('PR_SET_KEEPCAPS without setuid', locked.get('keepcaps-call'), '-1');
}

async function crashes(board: Board): Promise<void> {
  await board.run('service_control start lab_crasher');
  await eventually('init gives up for 240 s', 10_000, async () => {
    const log = await board.run('dmesg');
    return log.includes('lab_crasher ended 4 times within 240 s') || 'no such line in the log';
  });
  const log = await board.run('dmesg');
  expectEqual('starts of lab_crasher', log.match(/service lab_crasher started/g)?.length, 4);
}

async function sandbox(board: Board): Promise<void> {
  await board.run('service_control start lab_sandboxed');
  const pid = (await board.run('param get startup.service.ctl.lab_sandboxed.pid')).trim();
  const inside = await board.run(`cat /proc/${pid}/mountinfo`);
  expectEqual('cgroup2 inside', / \/sys\/fs\/cgroup .* - cgroup2 /.test(inside), true);
  expectEqual('mounts made later inside', inside.includes('/dev/memcg'), false);
  const outside = await board.run('cat /proc/self/mountinfo');
  expectEqual('cgroup2 outside', outside.includes('cgroup2'), false);
  await board.run('service_control stop lab_sandboxed');
}

async function stopping(board: Board): Promise<void> {
  await board.run(`rm -f ${scratch}/lab_parent_stopped; service_control start lab_parent`);
  const parent = (await board.run('param get startup.service.ctl.lab_parent.pid')).trim();
  await eventually('the child is there', 5_000, async () => {
    const { code } = await board.exec(`pgrep -P ${parent} sa_main`);
    return code === 0 || 'no child';
  });
  const child = (await board.run(`pgrep -P ${parent} sa_main`)).trim();
  await board.run('service_control stop lab_parent');
  expectEqual('on-stop ran', await board.run(`cat ${scratch}/lab_parent_stopped`), 'yes');
  expectEqual('main process is gone', (await board.exec(`kill -0 ${parent}`)).code === 0, false);
  expectEqual('its child lives on', (await board.exec(`kill -0 ${child}`)).code, 0);
  await board.run(`kill -9 ${child}`);
}

async function network(board: Board): Promise<void> {
  await eventually('netmanager is done', 30_000, async () => {
    const log = await board.run('dmesg');
    return log.includes('eth0 is the default network') || 'not yet';
  });
  const rules = await board.run('/vendor/lab/bin/ip rule');
  const priorities = [...rules.matchAll(/^(\d+):/gm)].map(([, priority]) => Number(priority));
  expectEqual('rule priorities', priorities, [0, 11000, 11000, 11000, 12000, 12000, 13000, 16000, 32766]);
  expectEqual('default route in main', await board.run('/vendor/lab/bin/ip route show default'), '');
  await board.run('ping -c 1 -W 5 10.0.2.2');
  await board.run('/vendor/lab/bin/netmanager uplink wlan0');
  await board.run('ping -c 1 -W 5 10.0.3.2');
  await board.run('/vendor/lab/bin/netmanager down wlan0');
  expectEqual('default after wlan0 is gone', await board.run('param get lab.net.default'), 'eth0\n');
  await board.run('/vendor/lab/bin/netmanager up wlan0 && /vendor/lab/bin/netmanager rewrite');
  expectEqual(
    'rules after a rewrite',
    priorities.length,
    (await board.run('/vendor/lab/bin/ip rule')).trim().split('\n').length,
  );
}

async function reboot(board: Board): Promise<void> {
  const before = await board.run('cat /proc/sys/kernel/random/boot_id');
  await board.run(`echo kept >${scratch}/kept; echo lost >/dev/lost`);
  await board.reboot();
  expectEqual('file on /data', await board.run(`cat ${scratch}/kept`), 'kept\n');
  expectEqual('file on /dev', (await board.exec('cat /dev/lost')).code, 1);
  expectEqual('same boot', before === (await board.run('cat /proc/sys/kernel/random/boot_id')), false);
}
