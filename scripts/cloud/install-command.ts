import type { Command } from 'commander';
import { AgentError } from '../../agent/core/agent-error.ts';
import type { Finish } from '../terminal/program.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { performStep, planInstall, planRemoval } from './install.ts';
import { type InstallStep, stepText } from './install-plan.ts';
import type { Kube } from './kube.ts';
import {
  type CloudPorts,
  type ClusterOptions,
  type KubeOptions,
  portOf,
  withCluster,
  withKube,
} from './options.ts';

interface InstallArguments extends KubeOptions {
  readonly port: string;
  readonly commands?: true;
  readonly reportUrl?: string;
  readonly replyUrl?: string;
  readonly recreate?: true;
  readonly dryRun?: true;
  readonly uninstall?: true;
}

/** Adds `install`: the objects that the agents need. */
export function addInstall(program: Command, { terminal, openKube }: CloudPorts, finish: Finish): void {
  withKube(program.command('install'))
    .summary('create or correct the objects that the agents need')
    .description(
      'Creates DeviceModel, Devices, RuleEndpoints and Rules, prints every difference, changes nothing that is right.',
    )
    .argument('[node...]', 'edge nodes (default: all)')
    .option('--port <number>', 'query.port of the boards', '10660')
    .option('--commands', 'also set up the path for signed commands')
    .option(
      '--report-url <url>',
      'also forward free reports (report.topic: NAMESPACE/agent/report) to this address',
    )
    .option(
      '--reply-url <url>',
      'also forward the answers to commands (command.replyTopic: NAMESPACE/agent/reply) to this address',
    )
    .option('--recreate', 'delete and create again the Devices that have never reported')
    .option('--dry-run', 'print what would be done')
    .option('--uninstall', 'remove everything that was installed in the namespace')
    .action(async (nodes: string[], options: InstallArguments) => {
      const kube = await openKube(options.kubeconfig, options.context);
      const { steps, waiting } =
        options.uninstall === true
          ? { steps: await planRemoval(kube, options.namespace), waiting: [] }
          : await planInstall(kube, {
              nodes,
              namespace: options.namespace,
              queryPort: portOf(options.port),
              hasCommands: options.commands === true,
              reportUrl: options.reportUrl,
              replyUrl: options.replyUrl,
              recreates: options.recreate === true,
            });
      await performAll(kube, steps, options.dryRun === true, terminal);
      for (const node of waiting) {
        terminal.err(
          `note: ${node} is not connected now; its Device must be created while it is, so run this again then`,
        );
      }
      finish(0);
    });
}

async function performAll(
  kube: Kube,
  steps: readonly InstallStep[],
  isDry: boolean,
  terminal: Terminal,
): Promise<void> {
  for (const step of steps) {
    if (!isDry) await performStep(kube, step);
    const text = stepText(step);
    terminal.out(step.act === 'keep' ? terminal.style.dim(text) : text);
  }
  const changes = steps.filter(({ act }) => act !== 'keep').length;
  const tail = isDry ? ' to do; nothing was changed' : ' done';
  terminal.err(
    changes === 0 ? 'everything is as it should be' : `${changes} change${changes === 1 ? '' : 's'}${tail}`,
  );
}

/** Adds `token`: what a board joins with. */
export function addToken(program: Command, { terminal, openKube }: CloudPorts, finish: Finish): void {
  withCluster(program.command('token'))
    .summary('print a fresh token for `agentctl join`')
    .action(async (options: ClusterOptions) => {
      const kube = await openKube(options.kubeconfig, options.context);
      const metadata = { name: 'tokensecret', namespace: 'kubeedge' };
      const secret = await kube.read({ apiVersion: 'v1', kind: 'Secret', metadata });
      const data = secret?.data?.['tokendata'];
      if (data === undefined) {
        throw new AgentError(
          'NOT_FOUND',
          'Cannot read the token: secret kubeedge/tokensecret has none; does cloudcore run?',
        );
      }
      terminal.out(Buffer.from(data, 'base64').toString('utf8').trim());
      finish(0);
    });
}
