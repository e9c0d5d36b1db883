import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patience } from '../fakes/patience.ts';
import { EdgeRig, type RigAgent } from './edge-rig.ts';

const calm = new AbortController().signal;
const klog = (text: string): string => `F0823 12:34:56.789012    1234 server.go:72] ${text}`;

/** One thing that goes wrong on a board that has joined, and the word for it. edgecore is stopped when it is provoked. */
interface Failure {
  readonly reason: string;
  readonly what: string;
  readonly provoke: (rig: EdgeRig, agent: RigAgent) => Promise<void>;
}

/** Takes the node's certificate away and leaves a token instead, as after a restored backup. */
async function withToken(rig: EdgeRig, { supervisor }: RigAgent, token: string): Promise<void> {
  for (const file of [rig.places.caFile, rig.places.certFile, rig.places.keyFile]) await rm(file);
  await writeFile(rig.places.bootstrapFile, token, { mode: 0o600 });
  supervisor.startUnit('edgecore');
}

/** Last words of edgecore that only a real kernel, clock or disk could give. */
function lastWords(line: string): Failure['provoke'] {
  return async (rig, { supervisor }) => {
    await rig.fault({ exit: { code: 1, afterMs: 0, lines: [klog(line)] } });
    supervisor.startUnit('edgecore');
  };
}

async function connect(rig: EdgeRig, { supervisor }: RigAgent): Promise<void> {
  supervisor.startUnit('edgecore');
  await rig.until(supervisor, ({ phase }) => phase === 'ready');
}

const failures: readonly Failure[] = [
  {
    reason: 'TokenExpired',
    what: 'an expired token',
    provoke: (rig, agent) => withToken(rig, agent, rig.cloud.token(-1000)),
  },
  {
    reason: 'TokenRejected',
    what: 'a token whose signature is wrong',
    provoke: (rig, agent) => withToken(rig, agent, rig.cloud.token().replace(/[^.]+$/, 'c2lnbmF0dXJl')),
  },
  {
    reason: 'TokenMalformed',
    what: 'a token of two parts',
    provoke: (rig, agent) => withToken(rig, agent, rig.cloud.token().split('.').slice(0, 2).join('.')),
  },
  {
    reason: 'WrongAuthority',
    what: 'a token of another cluster',
    provoke: (rig, agent) => withToken(rig, agent, `${'b'.repeat(64)}${rig.cloud.token().slice(64)}`),
  },
  {
    reason: 'TokenMissing',
    what: 'neither certificate nor token',
    provoke: async (rig, { supervisor }) => {
      for (const file of [rig.places.caFile, rig.places.certFile, rig.places.keyFile]) await rm(file);
      supervisor.startUnit('edgecore');
    },
  },
  {
    reason: 'CertificateExpired',
    what: 'a certificate that is over',
    provoke: async (rig, agent) => {
      await rig.cloud.setFaults({ issue: 'expired' });
      await withToken(rig, agent, rig.cloud.token());
      // The key is written after the certificate: edgecore ended between them would have neither pair nor token.
      const isWhole = (): Promise<boolean> =>
        readFile(rig.places.keyFile, 'utf8').then(
          (text) => text.includes('-----END '),
          () => false,
        );
      const late = patience();
      while (!(await isWhole())) await sleep(50, undefined, { signal: late });
      await rm(rig.places.bootstrapFile, { force: true });
      agent.supervisor.restartUnit('edgecore');
    },
  },
  {
    reason: 'CloudRefused',
    what: 'a cloud that is down',
    provoke: async (rig, agent) => {
      await connect(rig, agent);
      await rig.cloud.setFaults({ hub: 'refuse' });
    },
  },
  {
    reason: 'SessionTaken',
    what: 'a session that the cloud ends again and again, as for a second board of the same name',
    provoke: async (rig, { supervisor }) => {
      await rig.cloud.setFaults({ hub: 'drop' });
      supervisor.startUnit('edgecore');
    },
  },
  {
    reason: 'MqttPortBusy',
    what: 'another broker at the port',
    provoke: async (rig, { supervisor }) => {
      const other = createServer().listen(rig.ports.mqtt, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
      supervisor.startUnit('edgecore');
      await rig.until(supervisor, ({ phase }) => phase === 'failed');
      await new Promise((resolve) => other.close(resolve));
    },
  },
  {
    reason: 'MetaServerPortBusy',
    what: "another program at the metaserver's port, which stops all modules and leaves the process,",
    provoke: async (rig, { supervisor }) => {
      await rig.fault({ stopped: true });
      supervisor.startUnit('edgecore');
    },
  },
  {
    reason: 'ConfigInvalid',
    what: "a value of the operator's that edgecore refuses",
    provoke: async (rig, { supervisor }) => {
      const text = await readFile(rig.places.configFile, 'utf8');
      await writeFile(rig.places.configFile, text.replace(/mqttMode: \d/, 'mqttMode: 7'));
      supervisor.startUnit('edgecore');
    },
  },
  {
    reason: 'CgroupMissing',
    what: 'a cgroup controller that is not mounted',
    provoke: lastWords('system validation failed - Following Cgroup subsystem not mounted: [memory]'),
  },
  {
    reason: 'ClockWrong',
    what: 'a clock in 1970',
    provoke: lastWords(
      'x509: certificate has expired or is not yet valid: current time 1970-01-01T00:00:09Z is before 2026-01-01T00:00:00Z',
    ),
  },
  {
    reason: 'DiskFull',
    what: 'a full disk',
    provoke: lastWords('write /var/lib/kubeedge/edgecore.db: no space left on device'),
  },
  {
    reason: 'DatabaseBroken',
    what: 'a database that a power cut broke',
    provoke: lastWords('database disk image is malformed'),
  },
  {
    reason: 'RuntimeNotReady',
    what: 'a container runtime that is gone',
    provoke: async (rig, { supervisor }) => {
      await rig.stopRuntime();
      supervisor.startUnit('edgecore');
    },
  },
];

/** One board for all: each failure begins with it joined, whole and edgecore stopped. */
class Patient {
  readonly rig: EdgeRig;
  readonly agent: RigAgent;
  readonly #files: ReadonlyMap<string, string>;

  private constructor(rig: EdgeRig, agent: RigAgent, files: ReadonlyMap<string, string>) {
    this.rig = rig;
    this.agent = agent;
    this.#files = files;
  }

  static async admit(): Promise<Patient> {
    const rig = await EdgeRig.build('1.22.1');
    const agent = await rig.startAgent();
    const document = await agent.edge.join(rig.order(), calm);
    assert.equal(document.joined, true, JSON.stringify(document));
    const { caFile, certFile, keyFile, configFile } = rig.places;
    const names = [caFile, certFile, keyFile, configFile];
    const texts = await Promise.all(names.map((name) => readFile(name, 'utf8')));
    return new Patient(rig, agent, new Map(names.map((name, index) => [name, texts[index] ?? ''])));
  }

  async cure(): Promise<void> {
    const { rig, agent } = this;
    agent.supervisor.stopUnit('edgecore');
    await rig.until(agent.supervisor, ({ phase }) => phase === 'down');
    await rig.cloud.setFaults({});
    await rig.fault({});
    await rm(rig.places.bootstrapFile, { force: true });
    for (const [name, text] of this.#files) await writeFile(name, text, { mode: 0o600 });
  }
}

const patient = Patient.admit();
after(async () => (await patient).rig[Symbol.asyncDispose]());

test('each failure has a word of its own', () => {
  const words = failures.map(({ reason }) => reason);
  assert.deepEqual([...new Set(words)], words);
});

test('a SIGHUP from outside ends edgecore with status 0, and that is EndedUnasked', async () => {
  const board = await patient;
  const { rig, agent } = board;
  await board.cure();
  await connect(rig, agent);
  // The first restart is immediate; before the second one its reason is seen.
  for (let times = 0; times < 2; times += 1) {
    const { pid = 0 } = agent.supervisor.status()[0] ?? {};
    process.kill(pid, 'SIGHUP');
    await rig.until(agent.supervisor, (status) => status.pid !== pid && status.phase === 'ready');
  }
  const words = agent.board.eventsAfter(0).map(({ fields }) => fields['reason']);
  assert.ok(words.includes('EndedUnasked'), words.join());
});

for (const { reason, what, provoke } of failures) {
  test(`${what} is ${reason} in status and doctor, with what to do`, async () => {
    const board = await patient;
    const { rig, agent } = board;
    await board.cure();
    await provoke(rig, agent);
    await rig.until(
      agent.supervisor,
      (status) => status.reason === reason || status.message.includes(`last with ${reason}`),
    );
    assert.doesNotMatch(agent.supervisor.status()[0]?.message ?? '', /(exited|status|code) [1-9]/);
    const late = patience();
    let ids: readonly string[] = [];
    while (!ids.includes(`edge.${reason}`)) {
      assert.ok(!late.aborted, `doctor says ${ids.join()}, want edge.${reason}`);
      const findings = await agent.edge.doctor(calm);
      ids = findings.map(({ id }) => id);
      const finding = findings.find(({ id }) => id === `edge.${reason}`);
      assert.ok(finding === undefined || finding.fix.length > 10, JSON.stringify(finding));
    }
  });
}
