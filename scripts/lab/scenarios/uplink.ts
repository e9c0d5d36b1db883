import type { Board } from '../board.ts';
import { importImage, inside, waitUntilReady } from './agent.ts';
import { eventually } from './expect.ts';
import { startHostServer } from './host-server.ts';
import type { Scenario } from './scenario.ts';

/** Longest time without a way out after the uplink changed, in milliseconds. */
const backWithinMs = 20_000;

/**
 * Containers reach the world by whatever uplink the system has. The host's loopback is 10.0.2.2 from eth0 and 10.0.3.2
 * from wlan0, and each only from there, so an answer says which way it came.
 */
export const uplink: Scenario = {
  summary: 'a container’s traffic follows the uplink from eth0 to wlan0 and back',
  run: async ({ boot, progress }) => {
    await using server = await startHostServer();
    const board = await boot();
    const throughEth0 = `10.0.2.2:${server.port}`;
    const throughWlan0 = `10.0.3.2:${server.port}`;
    await progress.step('wait for Docker under the agent', () => waitUntilReady(board));
    await progress.step('start a container', () => startContainer(board));
    await progress.step('out by eth0', () => reaches(board, throughEth0));
    await board.run('/vendor/lab/bin/netmanager uplink wlan0');
    await progress.step('out by wlan0', () => reaches(board, throughWlan0));
    await board.run('/vendor/lab/bin/netmanager down wlan0');
    await progress.step('wlan0 went away, out by eth0 again', () => reaches(board, throughEth0));
    await board.run('/vendor/lab/bin/netmanager up wlan0; /vendor/lab/bin/netmanager rewrite');
    await progress.step('netmanager wrote its rules anew, still out by eth0', () =>
      reaches(board, throughEth0),
    );
    await progress.step('power off', () => board.powerOff());
  },
};

async function startContainer(board: Board): Promise<void> {
  await importImage(board);
  await board.run(inside('docker run -d --name worker lab:1 /bin/busybox sleep 100000'), {
    timeoutMs: 120_000,
  });
}

async function reaches(board: Board, address: string): Promise<void> {
  await eventually(`the container reaches ${address}`, backWithinMs, async () => {
    // Not wget: Debian's static busybox looks names up through shared libraries, and crashes without them.
    const ask = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | /bin/busybox nc -w 5 ${address.replace(':', ' ')}`;
    const fetch = `docker exec worker /bin/busybox sh -c "${ask}"`;
    const { stdout, stderr } = await board.exec(inside(fetch), { timeoutMs: 30_000 });
    return stdout.includes('hello from the host') || (stderr || stdout).trim();
  });
}
