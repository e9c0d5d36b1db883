import { parseArgs } from 'node:util';
import { CloudHub } from './cloudhub.ts';
import { startControl } from './control.ts';

const usage = `Usage: cloudhub [--address A] [--name N]… [--hub-port 10000] [--enrol-port 10002]
                [--control-port 10090] [--kubeedge 1.22.1] [--enforce]

A STAND-IN for KubeEdge's cloudcore, for tests: the real wire, nothing behind it.`;

const { values } = parseArgs({
  options: {
    address: { type: 'string', default: '0.0.0.0' },
    name: { type: 'string', multiple: true, default: [] },
    'hub-port': { type: 'string', default: '10000' },
    'enrol-port': { type: 'string', default: '10002' },
    'control-port': { type: 'string', default: '10090' },
    kubeedge: { type: 'string', default: '1.22.1' },
    enforce: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else await run();

async function run(): Promise<void> {
  const cloud = await CloudHub.start({
    version: values.kubeedge,
    address: values.address,
    names: [...new Set([...values.name, '127.0.0.1', 'localhost', '10.0.2.2'])],
    ports: { hub: Number(values['hub-port']), enrol: Number(values['enrol-port']) },
    isEnforced: values.enforce,
    log: (line) => console.log(`STAND-IN cloudhub: ${line}`),
  });
  const control = await startControl(cloud, Number(values['control-port']));
  console.log(
    `STAND-IN cloudhub: this is not KubeEdge. It behaves like cloudcore ${values.kubeedge} on ports ${cloud.hubPort} (WebSocket) and ${cloud.enrolPort} (enrolment), control on 127.0.0.1:${values['control-port']}`,
  );
  console.log(`STAND-IN cloudhub: token ${cloud.token()}`);
  const stop = () => {
    control.close();
    void cloud.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
