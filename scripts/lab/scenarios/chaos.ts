import { AgentError } from '../../../agent/core/agent-error.ts';
import { homeDir } from '../../../agent/core/constants.ts';
import { SeededRandom } from '../../chaos/random.ts';
import type { Board } from '../board.ts';
import { busyboxOfLab, importImage, inside, readStatus, slowMs, waitUntilReady } from './agent.ts';
import { eventually, expectEqual } from './expect.ts';
import type { Scenario } from './scenario.ts';

const busybox = busyboxOfLab;
const pidsOf = (name: string): string => `$(${busybox} pidof ${name})`;
/** Nearly all of it without writing, which would take a translated machine minutes; the rest is written. mksh counts with 32 bits. */
const fillData = [
  `room=$(${busybox} stat -f -c '%f %S' /data | ${busybox} awk '{ printf "%.0f", $1 * $2 - 67108864 }')`,
  `${busybox} fallocate -l $room /data/ballast.1`,
  `${busybox} dd if=/dev/zero of=/data/ballast.2 bs=65536 2>/dev/null`,
].join('; ');
/** The number is put in when the line is run. */
const killAgent = 'kill -9 AGENT_PID';
/** Milliseconds that everything gets to be well again; translated arm64 code is slow. */
const recoverMs = 600_000;

/** Lines that hurt the board. What the host cannot do to itself, the clock above all, is done here. */
const faults: Readonly<Record<string, string>> = {
  'kill-agent': killAgent,
  'kill-dockerd': `kill -9 ${pidsOf('dockerd')}`,
  'stop-dockerd': `kill -STOP ${pidsOf('dockerd')}`,
  'kill-containerd': `kill -9 ${pidsOf('containerd')}`,
  'stop-containerd': `kill -STOP ${pidsOf('containerd')}`,
  'kill-shim': `kill -9 ${pidsOf('containerd-shim-runc-v2')}`,
  'spoil-record': `echo torn >${homeDir}/state/units/dockerd.json; ${killAgent}`,
  'full-disk': `${fillData}; kill -9 ${pidsOf('dockerd')}; ${busybox} sleep 15; rm -f /data/ballast*`,
  'clock-jump': `was=$(${busybox} date +%s); ${busybox} date -s @$((was + 864000)) >/dev/null; kill -9 ${pidsOf('dockerd')}; ${busybox} sleep 20; ${busybox} date -s @$((was + 20)) >/dev/null`,
};

/** The same as `npm run chaos` does on the host, as far as a board that is translated can be waited for. */
export const chaos: Scenario = {
  summary: 'faults at random (CHAOS_SEED) for CHAOS_MINUTES: after each one everything is well again',
  run: async ({ boot, progress }) => {
    const random = new SeededRandom(Number(process.env['CHAOS_SEED'] ?? 1));
    const board = await boot();
    await progress.step('wait for Docker under the agent', () => waitUntilReady(board));
    await progress.step('start a container that always runs', () => prepare(board));
    // A boot takes minutes of its own.
    const endMs = Date.now() + Number(process.env['CHAOS_MINUTES'] ?? 2) * 60_000;
    let deck: readonly string[] = [];
    while (Date.now() < endMs) {
      if (deck.length === 0) deck = random.shuffled(Object.keys(faults));
      const [name = 'kill-agent', ...rest] = deck;
      deck = rest;
      await progress.step(name, async () => {
        await board.exec(await withAgent(board, faults[name] ?? ''), { timeoutMs: slowMs });
        await isWell(board);
      });
    }
    await progress.step('power off', () => board.powerOff());
  },
};

/** A worker that Docker starts again, and probes that come often enough to be waited for. */
async function prepare(board: Board): Promise<void> {
  await importImage(board);
  const run = 'docker run -d --restart always --name worker --network none lab:1 /bin/busybox sleep 1000000';
  await board.run(inside(run), { timeoutMs: slowMs });
  const lines = ['dockerd.pingMs: 2000', 'dockerd.deepMs: 10000', 'restart.ceilingMs: 5000'];
  const write = `printf '%s\\n' '${lines.join("' '")}' >>${homeDir}/agent.yaml`;
  await board.run(await withAgent(board, `${write}; ${killAgent}`));
  await isWell(board);
}

async function withAgent(board: Board, line: string): Promise<string> {
  return line.replaceAll('AGENT_PID', String((await readStatus(board)).agent.pid));
}

async function isWell(board: Board): Promise<void> {
  await eventually('everything is well again', recoverMs, async () => {
    try {
      const status = await readStatus(board);
      if (!status.ready) return status.conditions.map(({ type, status: is }) => `${type}=${is}`).join(' ');
      const frozen = await board.run(`${busybox} ps -o stat,comm | ${busybox} grep -c '^T' || true`);
      if (frozen.trim() !== '0') return `${frozen.trim()} processes are stopped by a signal`;
      const up = await board.run(inside('docker ps --format "{{.Names}}"'), { timeoutMs: 60_000 });
      return up.trim() === 'worker' || `docker ps shows "${up.trim()}", want worker`;
    } catch (error) {
      return error instanceof AgentError ? error.message : String(error);
    }
  });
  expectEqual('number of dockerd', mainsAmong(await board.run(`${busybox} ps -o pid,ppid,args`)), 1);
}

/** How many dockerds are nobody's child of that name: one on its way to another program still has its parent's. */
function mainsAmong(table: string): number {
  const all = [...table.matchAll(/^ *(\d+) +(\d+) (?:\S*\/)?dockerd --config-file/gm)];
  const pids = all.map(([, pid]) => pid);
  return all.filter(([, , parent]) => !pids.includes(parent)).length;
}
