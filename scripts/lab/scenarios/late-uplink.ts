import path from 'node:path';
import type { Board } from '../board.ts';
import { labName } from '../name-server.ts';
import { ask, importImage, inside, readStatus } from './agent.ts';
import { eventually, expectEqual } from './expect.ts';
import { startHostServer } from './host-server.ts';
import type { Scenario } from './scenario.ts';

const netmanager = '/vendor/lab/bin/netmanager';
const nameServer = '10.0.2.2';

/** A board that boots before its Wi-Fi or its cable is there. */
export const lateUplink: Scenario = {
  summary:
    'boots without any network: Docker comes up and the cause is named; with the network containers reach it; the next boot knows its name server',
  run: async ({ boot, progress, logs }) => {
    const start = { dataDisk: path.join(logs, 'userdata.img'), isUnplugged: true };
    await using server = await startHostServer();
    const board = await boot({ start });
    await progress.step('Docker is ready without a network, which is named', () => waitWithoutNetwork(board));
    await progress.step('a container runs without a network', async () => {
      await importImage(board);
      await board.run(inside('docker run -d --restart always --name early lab:1 /bin/busybox sleep 100000'), {
        timeoutMs: 120_000,
      });
    });
    await progress.step('the network comes: everything is ready', async () => {
      await board.run(`${netmanager} up eth0`);
      await board.run('agentctl wait --for ready --timeout 120s', { timeoutMs: 150_000 });
      expectEqual('plan', (await ask<{ steps: readonly unknown[] }>(board, 'plan')).steps, []);
    });
    await progress.step('selftest with names and egress', () =>
      board.run(`agentctl selftest --dns ${labName.name} --egress ${nameServer}:${server.port}`, {
        timeoutMs: 300_000,
      }),
    );
    await progress.step('power off', () => board.powerOff());
    const next = await boot({ start });
    await progress.step('without a network again: Docker is ready', () => waitWithoutNetwork(next));
    await progress.step('a container of before asks the name server of before', () => asksLastServer(next));
    await progress.step('power off', () => next.powerOff());
  },
};

async function waitWithoutNetwork(board: Board): Promise<void> {
  await board.run('agentctl wait --for condition=DockerReady --timeout 240s', { timeoutMs: 260_000 });
  const { conditions } = await readStatus(board);
  const reasons = ['Prepared', 'NetworkReady', 'RoutesReady'].map((type) => {
    const { status, reason } = conditions.find((row) => row.type === type) ?? {};
    return `${type} ${status} ${reason}`;
  });
  expectEqual('conditions', reasons, [
    'Prepared true AsPlanned',
    'NetworkReady false NoDefaultRoute',
    'RoutesReady false NoDefaultNetwork',
  ]);
}

async function asksLastServer(board: Board): Promise<void> {
  await eventually('the container that always restarts runs', 60_000, async () => {
    const { stdout } = await board.exec(inside('docker inspect -f {{.State.Running}} early'));
    return stdout.trim() === 'true' || stdout;
  });
  const text = await board.run(inside('docker exec early /bin/busybox cat /etc/resolv.conf'));
  const servers = [...text.matchAll(/^nameserver (\S+)/gm)].map(([, server]) => server);
  expectEqual('name servers of the container', servers, [nameServer]);
}
