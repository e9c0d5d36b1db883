import { setTimeout as sleep } from 'node:timers/promises';
import { HostCloudProbe } from '../../agent/host/cloud-probe.ts';
import { runProgram } from '../terminal/program.ts';
import { processTerminal } from '../terminal/terminal.ts';
import { cloudProgram } from './cloud-program.ts';
import { KubeClient } from './kube-client.ts';

const terminal = processTerminal();
process.exitCode = await runProgram(
  (finish) =>
    cloudProgram(
      {
        terminal,
        openKube: (file, context) => KubeClient.open(file, context),
        cloud: new HostCloudProbe(),
        nowMs: () => Date.now(),
        sleep: async (ms) => sleep(ms),
        untilInterrupted: () => {
          const over = new AbortController();
          for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => over.abort());
          return over.signal;
        },
      },
      finish,
    ),
  process.argv.slice(2),
  terminal,
);
