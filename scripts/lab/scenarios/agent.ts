import type { DoctorDocument, StatusDocument } from '../../../agent/api/wire.ts';
import { AgentError } from '../../../agent/core/agent-error.ts';
import { homeDir, productDir } from '../../../agent/core/constants.ts';
import type { Board } from '../board.ts';

const busybox = `${productDir}/bin/busybox`;

/** The lab's own busybox, for what a board's shell cannot do. */
export const busyboxOfLab = '/vendor/lab/bin/busybox';

/** Time for the agent to have Docker ready after boot, in seconds; translated arm64 code is slow. */
const readySeconds = 480;

/** Longest time for what Docker does with an image or a container, in milliseconds: a translated board on a busy machine. */
export const slowMs = 300_000;

/** Waits for Docker, then for everything; on a timeout the agent's own words say what is missing. */
export async function waitUntilReady(board: Board): Promise<void> {
  const wait = `agentctl wait --timeout ${readySeconds}s --for`;
  const { code, stdout, stderr } = await board.exec(`${wait} condition=DockerReady && ${wait} ready`);
  if (code === 0) return;
  const status = await board.exec(`agentctl status; cat ${homeDir}/log/launch.log`);
  throw new AgentError(
    'TIMED_OUT',
    `The agent was not ready: ${(stderr || stdout).trim()}\n${status.stdout}${status.stderr}`,
  );
}

/** Asks the agent by its command line; exit code 1 only says "no" and is no fault here. */
export async function ask<T>(board: Board, command: string, timeoutMs = 60_000): Promise<T> {
  const { code, stdout, stderr } = await board.exec(`agentctl ${command} --json`, { timeoutMs });
  if (code === 0 || code === 1) return JSON.parse(stdout) as T;
  throw new AgentError(
    'TOOL_FAILED',
    `"agentctl ${command}" ended with ${code} on the board: ${stderr.trim()}`,
  );
}

export const readStatus = (board: Board): Promise<StatusDocument> => ask(board, 'status');
export const readDoctor = (board: Board): Promise<DoctorDocument> => ask(board, 'doctor');

/** A line that runs in the mount namespace in which the agent and its units live. */
export function inside(line: string): string {
  const quoted = line.replaceAll("'", `'\\''`);
  const enter = `read boot holder start <${homeDir}/run/namespace; exec ${busybox} nsenter -t $holder -m`;
  return `${enter} ${busybox} env PATH=${productDir}/docker:${productDir}/bin:/system/bin /system/bin/sh -c '${quoted}'`;
}

/** Makes a tiny image named `lab` on the board, with busybox as everything; needs no registry. */
export async function importImage(board: Board): Promise<void> {
  const lines = [
    'rm -rf /data/local/lab-image; mkdir -p /data/local/lab-image/bin',
    `cp ${busybox} /data/local/lab-image/bin/busybox; ln -s busybox /data/local/lab-image/bin/sh`,
    `${busybox} tar -C /data/local/lab-image -c . | docker import - lab:1`,
  ];
  await board.run(inside(lines.join('; ')), { timeoutMs: slowMs });
}

/** Identity of the running container: its process and when it started. */
export async function container(board: Board): Promise<string> {
  return board.run(inside('docker inspect -f "{{.State.Pid}} {{.State.StartedAt}}" worker'));
}

/** Starts a container that stays, and returns its identity. */
export async function startContainer(board: Board): Promise<string> {
  await importImage(board);
  await board.run(inside('docker run -d --name worker lab:1 /bin/busybox sleep 100000'), {
    timeoutMs: slowMs,
  });
  return container(board);
}
