// STAND-IN for the cloud of a fleet: CloudHub with its store, in a process of its own, told by messages what to do.
import { CloudHub } from '../../../test/standins/cloudhub/cloudhub.ts';
import { conditionOf } from '../../../test/standins/cloudhub/store.ts';
import { certificateRequest } from '../../../test/standins/edgecore/enrolment.ts';
import type { CloudAnswer, CloudTask } from '../cloud-process.ts';

const dayMs = 86_400_000;
let cloud: CloudHub | undefined;

const tasks: {
  readonly [Do in CloudTask['do']]: (task: Extract<CloudTask, { do: Do }>) => Promise<unknown>;
} = {
  start: async ({ nodeLimit }) => {
    cloud = await CloudHub.start({
      nodeLimit,
      // The sessions live by the clock of the fleet, the stand-in by the real one.
      times: { keepaliveMs: dayMs },
    });
    // One certificate for all boards: CloudHub looks at the name in it only where authorization is switched on.
    const { requestDer, keyPem } = await certificateRequest('fleet', 22);
    const der = await cloud.authority.signRequest(requestDer, { fromMs: -dayMs, untilMs: dayMs });
    const certPem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
    return { hubPort: cloud.hubPort, caPem: cloud.authority.caPem, certPem, keyPem };
  },
  add: async ({ nodes }) => {
    const status = { conditions: [{ type: 'Ready', status: 'True' }] };
    for (const name of nodes) cloud?.store.put('node', { namespace: '', name }, { status });
    return Promise.resolve();
  },
  faults: async ({ faults }) => {
    await cloud?.setFaults(faults);
  },
  heard: async ({ nodes, condition }) => {
    const told = nodes.filter((name) => {
      const node = cloud?.store.get('node', { namespace: '', name });
      return conditionOf(node, condition)?.['status'] === 'False';
    });
    const events = new Set((cloud?.store.list('event') ?? []).map(involved));
    return Promise.resolve({ conditions: told.length, events: events.size });
  },
  stop: async () => {
    await cloud?.stop();
  },
};

function involved(event: Readonly<Record<string, unknown>>): string {
  return (event['involvedObject'] as { name: string }).name;
}

process.on('message', (task: CloudTask) => {
  const act = tasks[task.do] as (task: CloudTask) => Promise<unknown>;
  const answer = (text: CloudAnswer): void => {
    process.send?.(text, () => {
      if (task.do === 'stop') process.disconnect();
    });
  };
  act(task).then(
    (value) => answer({ value }),
    (error: unknown) => answer({ error: String(error) }),
  );
});

// Whoever started it is gone: nobody would end it.
process.on('disconnect', () => process.exit());
