import { AgentError } from '../../../agent/core/agent-error.ts';
import { freePort } from '../../../test/fakes/free-port.ts';
import type { Board } from '../board.ts';
import { labName } from '../name-server.ts';
import { busyboxOfLab, importImage, inside } from './agent.ts';
import { eventually, expectEqual } from './expect.ts';
import { startHostServer } from './host-server.ts';
import { onReadyBoard } from './ready-board.ts';

/** Port of the board at which the check publishes a container. */
const publishedPort = 8080;

/** The main promise: init started the agent, Docker is up, containers run and reach the world and are reached, the board powers off in order. */
export const check = onReadyBoard(
  'wait for the agent, run doctor, status and selftest with names and egress, reach a published port, power off',
  async (board, { progress }) => {
    await using server = await startHostServer();
    await progress.step('agentctl doctor', () => show(board, 'agentctl doctor'));
    await progress.step('agentctl status', () => show(board, 'agentctl status'));
    const selftest = `agentctl selftest --dns ${labName.name} --egress 10.0.2.2:${server.port}`;
    await progress.step('agentctl selftest', () => show(board, selftest));
    await progress.step('agentctl support-bundle', () => bundle(board));
    await progress.step('a published port of a container is reached from outside', () => publish(board));
    await progress.step('a network of its own gets rules, and takes them along when it goes', () =>
      useOwnNetwork(board, server.port),
    );
    await progress.step('containers ask the name server of the live network', () => usesLiveNames(board));
  },
);

/** What the bundle of a board must have that one of a developer's machine has not. */
const bundled = [
  'mounts/units.txt',
  'docker/info.json',
  'network/nat.txt',
  'log/dockerd.log',
  'agent/doctor.json',
];

async function bundle(board: Board): Promise<void> {
  const tar = '/data/local/support.tar';
  await show(board, `agentctl support-bundle --output ${tar}`);
  const names = (await board.run(`${busyboxOfLab} tar -tf ${tar}`)).split('\n');
  const missing = bundled.filter((name) => !names.includes(`oh-edge-support/${name}`));
  expectEqual('what the bundle lacks', missing, []);
  const info = await board.run(`${busyboxOfLab} tar -xOf ${tar} oh-edge-support/docker/info.json`);
  expectEqual('dockerd told about itself', info.includes('"ServerVersion"'), true);
}

/** The bridge of a network that somebody makes gets its rules within moments: the container goes on asking until then. */
async function useOwnNetwork(board: Board, port: number): Promise<void> {
  const ask = `printf 'GET /own HTTP/1.0\\r\\n\\r\\n' | /bin/busybox timeout 2 /bin/busybox nc -w 1 10.0.2.2 ${port}`;
  await board.push(
    `until ${ask} | /bin/busybox grep -q 200; do /bin/busybox usleep 200000; done\n`,
    '/data/local/own.sh',
  );
  const rules = (): Promise<string> =>
    board.run(`/vendor/lab/bin/ip rule list | ${busyboxOfLab} grep '^85' || true`);
  const before = await rules();
  const run =
    'docker run --rm --network own -v /data/local/own.sh:/own.sh:ro lab:1 /bin/busybox sh -c ". /own.sh"';
  await board.run(inside(`docker network create own && ${run}`), { timeoutMs: 120_000 });
  await board.run(inside('docker network rm own'), { timeoutMs: 60_000 });
  await eventually('its rules are gone', 30_000, async () => {
    const now = await rules();
    return now === before || now;
  });
}

/** The name that selftest resolved exists in the live network only; this says that no other server is in the way. */
async function usesLiveNames(board: Board): Promise<void> {
  const text = await board.run(inside('docker exec published /bin/busybox cat /etc/resolv.conf'));
  const servers = [...text.matchAll(/^nameserver (\S+)/gm)].map(([, server]) => server);
  expectEqual('name servers of a container', servers, ['10.0.2.2']);
}

/** Runs a command on the board with its output on ours. */
async function show(board: Board, line: string): Promise<void> {
  process.stdout.write(`\n$ ${line}\n`);
  const onOutput = (bytes: Uint8Array): void => void process.stdout.write(bytes);
  const { code } = await board.exec(line, { onOutput, timeoutMs: 300_000 });
  if (code !== 0) throw new AgentError('TOOL_FAILED', `"${line}" ended with ${code} on the board`);
}

async function publish(board: Board): Promise<void> {
  const text = 'hello from a published port';
  await importImage(board);
  const serve = `/bin/busybox httpd -f -p 80 -h /www`;
  const make = `/bin/busybox mkdir /www; echo ${text} >/www/index.html; exec ${serve}`;
  await board.run(
    inside(`docker run -d --name published -p ${publishedPort}:80 lab:1 /bin/busybox sh -c "${make}"`),
    {
      timeoutMs: 120_000,
    },
  );
  const port = await freePort();
  await board.forward({ host: port, board: publishedPort });
  await eventually(`127.0.0.1:${port} answers from the container`, 30_000, async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5_000) })
      .then((response) => response.text())
      .catch((error: unknown) => String(error));
    return answer.includes(text) || answer;
  });
}
