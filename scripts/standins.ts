/** Bundles the stand-ins of test/standins, each one file for any Node, and a launcher for edgecore. */
import { bundleEdgecore, bundleStandIn } from '../test/standins/bundle.ts';
import { newProgram, runHere } from './terminal/program.ts';

const examples = `
Examples:
  npm run standins
  npm run standins -- --kubeedge 1.15.2 --node "/opt/lib/ld-linux-aarch64.so.1 --library-path /opt/lib /opt/bin/node"`;

interface Options {
  readonly out: string;
  readonly node: string;
  readonly kubeedge: string;
}

await runHere((terminal, finish) =>
  newProgram('standins', 'Bundles the stand-ins of cloudcore and edgecore, for any Node 20.', terminal)
    .option('--out <dir>', 'folder to write to', 'build/standins')
    .option('--node <command>', 'how the launcher of edgecore starts Node', 'node')
    .option('--kubeedge <version>', 'release that edgecore says it is', '1.22.1')
    .addHelpText('after', examples)
    .action(async ({ out, node, kubeedge }: Options) => {
      await bundleStandIn('cloudhub', out);
      await bundleEdgecore(out, { node, version: kubeedge });
      terminal.out(`${out}: cloudhub.js, edgecore.js, edgecore (stand-in for KubeEdge ${kubeedge})`);
      finish(0);
    }),
);
