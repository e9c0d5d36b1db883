// Bundles the stand-ins of test/standins into build/standins, each one file for any Node, and a launcher for edgecore.
// Usage: tsx scripts/standins.ts [--out DIR] [--node "COMMAND…"] [--kubeedge VERSION]
//   --node      how the launcher starts Node, e.g. "/opt/lib/ld-linux-aarch64.so.1 --library-path /opt/lib /opt/bin/node"
//   --kubeedge  release that the edgecore stand-in says it is (file `version` beside the launcher)
import { parseArgs } from 'node:util';
import { bundleEdgecore, bundleStandIn } from '../test/standins/bundle.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'build/standins' },
    node: { type: 'string', default: 'node' },
    kubeedge: { type: 'string', default: '1.22.1' },
  },
});

await bundleStandIn('cloudhub', values.out);
await bundleEdgecore(values.out, { node: values.node, version: values.kubeedge });
console.log(`${values.out}: cloudhub.js, edgecore.js, edgecore (stand-in for KubeEdge ${values.kubeedge})`);
