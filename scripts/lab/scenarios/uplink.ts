import { AgentError } from '../../../agent/core/agent-error.ts';
import type { Board } from '../board.ts';
import { importImage, inside } from './agent.ts';
import { type HostServer, startHostServer } from './host-server.ts';
import { measurePace, withinPace } from './pace.ts';
import { onReadyBoard } from './ready-board.ts';

/** Longest time without a download after the uplink changed, in milliseconds on an idle host; the change itself takes part of it. */
const backWithinMs = 5_000;
/** Time after which nobody waits any more, in milliseconds. */
const patienceMs = 60_000;

/** Networks of the board and the address of the host in each, reached from there only: it says which way a download came. */
const networks = { eth0: '10.0.2.2', wlan0: '10.0.3.2' } as const;
type Network = keyof typeof networks;

const netmanager = '/vendor/lab/bin/netmanager';

/** Containers reach the world by whatever uplink the system has: one downloads without a pause while it changes. */
export const uplink = onReadyBoard(
  'a container downloads while the uplink changes from eth0 to wlan0 and back: back within 5 s',
  async (board, { progress }) => {
    await using server = await startHostServer();
    const change = async (what: string, line: string, to: Network): Promise<void> => {
      await progress.step(what, async (note) => {
        const pace = await measurePace(board);
        const orderedMs = performance.now();
        await board.run(line);
        const lasted = (await nextDownload(server, to)) - orderedMs;
        note(`the next download by ${to} began ${Math.round(lasted)} ms after the change was ordered`);
        // The pace is measured on both sides: a busy host changes it any moment.
        const { ms, text } = withinPace(backWithinMs, Math.max(pace, await measurePace(board)));
        if (lasted > ms) throw new AgentError('TIMED_OUT', `No download by ${to} for longer than ${text}`);
      });
    };
    await progress.step('a container downloads by eth0', async () => {
      await startDownloads(board, server.port);
      await nextDownload(server, 'eth0');
    });
    await change('wlan0 becomes the uplink', `${netmanager} uplink wlan0`, 'wlan0');
    await change('wlan0 goes away', `${netmanager} down wlan0`, 'eth0');
    await change('wlan0 comes back and is the uplink', `${netmanager} uplink wlan0`, 'wlan0');
    await change('eth0 is the uplink again', `${netmanager} uplink eth0`, 'eth0');
    await change('netmanager writes its rules anew', `${netmanager} rewrite`, 'eth0');
    await board.run(inside('docker rm -f downloader'), { timeoutMs: patienceMs });
  },
);

/** One endless loop for each way, so that the one that leads nowhere does not keep the other waiting. */
async function startDownloads(board: Board, port: number): Promise<void> {
  await importImage(board);
  // Not wget: Debian's static busybox looks names up through shared libraries, and crashes without them. A download that
  // was under way at the change waits for the rest for ever, as its connection belongs to the uplink that is gone: what is
  // asked here is that the next one gets through.
  const loops = Object.entries(networks).map(
    ([name, address]) =>
      `while :; do printf 'GET /${name} HTTP/1.0\\r\\n\\r\\n' | /bin/busybox timeout 2 /bin/busybox nc -w 1 ${address} ${port} >/dev/null || /bin/busybox usleep 200000; done`,
  );
  await board.push(`${loops.join(' &\n')}\n`, '/data/local/downloads.sh');
  const mount = '-v /data/local/downloads.sh:/downloads.sh:ro';
  await board.run(
    inside(`docker run -d --name downloader ${mount} lab:1 /bin/busybox sh -c ". /downloads.sh"`),
    {
      timeoutMs: 120_000,
    },
  );
}

/** Time of the next download by this way. */
function nextDownload(server: HostServer, by: Network): Promise<number> {
  return server.requestAfter(`/${by}`, performance.now(), AbortSignal.timeout(patienceMs));
}
