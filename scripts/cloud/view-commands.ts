import type { Command } from 'commander';
import type { Finish } from '../terminal/program.ts';
import { explainNode } from './explain.ts';
import { findDevices } from './find-device.ts';
import { healthTable, isWell } from './health-table.ts';
import { chosenNodes, generationOf } from './install.ts';
import type { Kube } from './kube.ts';
import { type NodeView, viewNode } from './node-view.ts';
import { type CloudPorts, type KubeOptions, withKube } from './options.ts';

/** Adds `health`: all nodes with both views of them. */
export function addHealth(
  program: Command,
  { terminal, openKube, nowMs, sleep }: CloudPorts,
  finish: Finish,
): void {
  withKube(program.command('health'))
    .summary("list the nodes, Kubernetes' view beside the agent's")
    .argument('[node...]', 'edge nodes (default: all)')
    .option('--watch', 'print again every ten seconds')
    .option('--json', 'print the views for programs')
    .action(async (nodes: string[], options: KubeOptions & { watch?: true; json?: true }) => {
      const kube = await openKube(options.kubeconfig, options.context);
      for (;;) {
        const views = await viewsOf(kube, nodes, options.namespace);
        if (options.json === true) terminal.out(JSON.stringify(views, null, 2));
        else terminal.out(healthTable(views, nowMs(), terminal));
        finish(views.every(isWell) ? 0 : 1);
        if (options.watch !== true) return;
        await sleep(10_000);
      }
    });
}

async function viewsOf(
  kube: Kube,
  names: readonly string[],
  namespace: string,
): Promise<readonly NodeView[]> {
  const generation = await generationOf(kube);
  const nodes = await chosenNodes(kube, names);
  const find = await findDevices(kube, { generation, namespace }, names.length === 0);
  return Promise.all(
    nodes.map(async (node) => {
      const { device, status } = await find(node.metadata.name);
      return viewNode(node, device, status);
    }),
  );
}

/** Adds `explain`: why one node is as it is. */
export function addExplain(
  program: Command,
  { terminal, openKube, nowMs }: CloudPorts,
  finish: Finish,
): void {
  withKube(program.command('explain'))
    .summary('say in one paragraph why a node is (not) ready')
    .argument('<node>', 'the node')
    .action(async (node: string, options: KubeOptions) => {
      const kube = await openKube(options.kubeconfig, options.context);
      const [view] = await viewsOf(kube, [node], options.namespace);
      if (view === undefined) return;
      terminal.out(explainNode(view, nowMs()));
      finish(isWell(view) ? 0 : 1);
    });
}
