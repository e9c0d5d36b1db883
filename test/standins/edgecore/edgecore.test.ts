import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer as createHttp } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { connectAsync } from 'mqtt';
import { parse, stringify } from 'yaml';
import { freePort } from '../../fakes/free-port.ts';
import { patience } from '../../fakes/patience.ts';
import { bundleEdgecore } from '../bundle.ts';
import { CloudHub } from '../cloudhub/cloudhub.ts';
import { startControl } from '../cloudhub/control.ts';
import { conditionOf } from '../cloudhub/store.ts';

const made: Edge[] = [];
let home = '';
let launcher = '';

before(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'standin-edgecore-'));
  launcher = await bundleEdgecore(path.join(home, 'bin'), { node: process.execPath, version: '1.22.1' });
});
after(async () => {
  await rm(home, { recursive: true, force: true });
});

interface Options {
  readonly token?: string;
  readonly patch?: object;
  readonly hasRuntime?: boolean;
  /** Form of v1alpha1: no tailoredKubeletConfig. */
  readonly isFlat?: boolean;
}

/** One edge: directory, configuration, ports and, while it runs, the process. */
class Edge {
  readonly lines: string[] = [];
  readonly directory: string;
  readonly file: string;
  readonly ports: { mqtt: number; health: number };
  #child: ChildProcess | undefined;
  #ended: Promise<unknown[]> | undefined;
  readonly #runtime: Server;

  private constructor(directory: string, ports: Edge['ports'], runtime: Server) {
    this.directory = directory;
    this.file = path.join(directory, 'edgecore.yaml');
    this.ports = ports;
    this.#runtime = runtime;
  }

  static async make(cloud: CloudHub, options: Options): Promise<Edge> {
    const directory = await mkdtemp(path.join(home, 'edge-'));
    const runtime = createServer();
    if (options.hasRuntime !== false) await listen(runtime, path.join(directory, 'runtime.sock'));
    const edge = new Edge(directory, { mqtt: await freePort(), health: await freePort() }, runtime);
    const { token = cloud.token(), patch = {} } = options;
    const config = {
      modules: {
        edgeHub: {
          heartbeat: 0.2,
          httpServer: `https://127.0.0.1:${cloud.enrolPort}`,
          token,
          websocket: { server: `127.0.0.1:${cloud.hubPort}` },
          tlsCaFile: path.join(directory, 'ca.crt'),
          tlsCertFile: path.join(directory, 'server.crt'),
          tlsPrivateKeyFile: path.join(directory, 'server.key'),
        },
        edged: {
          hostnameOverride: 'n1',
          ...(options.isFlat === true
            ? { dockerAddress: `unix://${directory}/runtime.sock`, nodeStatusUpdateFrequency: '0.2s' }
            : {
                tailoredKubeletConfig: {
                  containerRuntimeEndpoint: `unix://${directory}/runtime.sock`,
                  imageServiceEndpoint: `unix://${directory}/runtime.sock`,
                  readOnlyPort: edge.ports.health,
                  nodeStatusUpdateFrequency: '0.2s',
                },
              }),
        },
        eventBus: { mqttMode: 0, mqttServerInternal: `tcp://127.0.0.1:${edge.ports.mqtt}` },
        serviceBus: { enable: true },
        ...patch,
      },
    };
    await writeFile(edge.file, stringify(config));
    made.push(edge);
    return edge;
  }

  start(environment: Record<string, string> = {}): this {
    const child = spawn(launcher, ['--config', this.file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        PATH: process.env['PATH'] ?? '',
        STANDIN_FAULTS: this.faultsFile,
        STANDIN_BOOTSTRAP: path.join(this.directory, 'bootstrap'),
        STANDIN_DIAL_MS: '50',
        STANDIN_PARENT: String(process.pid),
        ...environment,
      },
    });
    createInterface({ input: child.stderr }).on('line', (line) => this.lines.push(line));
    this.#child = child;
    this.#ended = once(child, 'close');
    return this;
  }

  get faultsFile(): string {
    return path.join(this.directory, 'faults.json');
  }

  async fault(faults: object): Promise<void> {
    await writeFile(this.faultsFile, JSON.stringify(faults));
  }

  /** Exit code of a process that ends by itself. */
  async ended(): Promise<number> {
    const [code] = (await this.#ended) as [number];
    return code;
  }

  async stop(): Promise<number> {
    this.#child?.kill('SIGTERM');
    return this.ended();
  }

  /** Ends whatever still runs. */
  close(): void {
    this.#child?.kill('SIGKILL');
    this.#runtime.close();
  }
}

async function listen(server: Server, at: string | number): Promise<void> {
  await new Promise<void>((resolve) => {
    server.listen(at, resolve);
  });
}

async function withCloud(use: (cloud: CloudHub) => Promise<void>, version = '1.22.1'): Promise<void> {
  const cloud = await CloudHub.start({ version });
  try {
    await use(cloud);
  } finally {
    for (const edge of made.splice(0)) edge.close();
    await cloud.stop();
  }
}

const nodeOf = (cloud: CloudHub) => cloud.store.get('node', { namespace: '', name: 'n1' });
const registered = (cloud: CloudHub) =>
  cloud.store.until(
    () => (conditionOf(nodeOf(cloud), 'Ready')?.['status'] === 'True' ? true : undefined),
    patience(),
  );

test('the stand-in joins with a token, registers its node, answers /healthz, and stops with code 0', async () => {
  await withCloud(async (cloud) => {
    const edge = (await Edge.make(cloud, {})).start();
    await registered(cloud);
    const health = await fetch(`http://127.0.0.1:${edge.ports.health}/healthz`);
    assert.equal(await health.text(), 'ok');
    assert.equal(cloud.store.list('lease').length, 1);
    assert.equal(await edge.stop(), 0);
    assert.ok(edge.lines.some((line) => line.includes('Websocket connect to cloud access successful')));
    assert.ok(edge.lines[0]?.startsWith('STAND-IN'));
  });
});

test('after a restart the certificates serve and no token is needed', async () => {
  await withCloud(async (cloud) => {
    const edge = (await Edge.make(cloud, {})).start();
    await registered(cloud);
    await edge.stop();
    cloud.store.remove('node', { namespace: '', name: 'n1' });
    edge.start();
    await cloud.store.until(() => (cloud.nodes().includes('n1') ? true : undefined), patience());
    await edge.stop();
    assert.deepEqual(cloud.issued, ['n1']);
  });
});

test('releases before 1.12 register by nodestatus and get their status replaced', async () => {
  await withCloud(async (cloud) => {
    const edge = await Edge.make(cloud, { isFlat: true });
    edge.start({ STANDIN_VERSION: '1.11.2', STANDIN_READ_ONLY_PORT: String(edge.ports.health) });
    await registered(cloud);
    await edge.stop();
  }, '1.11.2');
});

test('a token kept in a bootstrap file ends up in the YAML when the version there differs', async () => {
  await withCloud(async (cloud) => {
    const edge = await Edge.make(cloud, { token: '' });
    const token = cloud.token();
    await writeFile(path.join(edge.directory, 'bootstrap'), token);
    edge.start();
    await registered(cloud);
    await edge.stop();
    const written = parse(await readFile(edge.file, 'utf8'));
    assert.equal(written.edgecoreVersion, 'v1.22.1');
    assert.equal(written.modules.edgeHub.token, token);
  });
});

test('each way of ending has the code and last line of the real edgecore', async () => {
  await withCloud(async (cloud) => {
    const other = await CloudHub.start();
    const cases = [
      { token: 'a.b', code: 2, old: 1, line: /credentials are in the wrong format/ },
      { token: other.token(), code: 2, old: 1, line: /failed to validate CA certificate. tokenCAhash/ },
      {
        token: cloud.token(-1000),
        code: 2,
        old: 1,
        line: /failed to get edge certificate from the cloudcore/,
      },
      { patch: { eventBus: { mqttMode: 7 } }, code: 1, old: 1, line: /Mode need in/ },
      { hasRuntime: false, code: 2, old: 1, line: /failed to run Kubelet/ },
    ];
    for (const { code, old, line, ...options } of cases) {
      for (const [version, wanted] of [
        ['1.22.1', code],
        ['1.15.2', old],
      ] as const) {
        const edge = (await Edge.make(cloud, options)).start({ STANDIN_VERSION: version });
        const isOldRuntimeCase = options.hasRuntime === false && version === '1.15.2';
        if (isOldRuntimeCase) {
          edge.close();
          continue;
        }
        assert.equal(await edge.ended(), wanted, edge.lines.join('\n'));
        assert.match(edge.lines.join('\n'), line);
        edge.close();
      }
    }
    await other.stop();
  });
});

test('without certificates a closed cloud port ends it, with certificates it tries for ever', async () => {
  await withCloud(async (cloud) => {
    const known = (await Edge.make(cloud, {})).start();
    await registered(cloud);
    await known.stop();
    await cloud.setFaults({ enrol: 'refuse', hub: 'refuse' });
    const fresh = (await Edge.make(cloud, {})).start();
    assert.equal(await fresh.ended(), 2);
    assert.match(fresh.lines.join('\n'), /failed to get CA certificate.*connection refused/);
    known.start();
    await cloud.setFaults({});
    await cloud.store.until(() => (cloud.nodes().includes('n1') ? true : undefined), patience());
    await known.stop();
  });
});

test('no configuration file is an F line and code 1', async () => {
  const child = spawn(launcher, ['--config', '/nowhere.yaml'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  assert.deepEqual(await once(child, 'close'), [1, null]);
  assert.match(text, /^F\d{4} .*failed to get config file/m);
});

test('faults: exit with the lines told, hang without a port, zombie without a link', async () => {
  await withCloud(async (cloud) => {
    const crash = await Edge.make(cloud, {});
    await crash.fault({ exit: { code: 255, afterMs: 0, lines: ['F0101 00:00:00.000000 1 x.go:1] boom'] } });
    crash.start();
    assert.equal(await crash.ended(), 255);
    assert.match(crash.lines.at(-1) ?? '', /boom/);
    crash.close();
    const zombie = (await Edge.make(cloud, {})).start();
    await registered(cloud);
    await zombie.fault({ zombie: true });
    await cloud.store.until(() => (cloud.nodes().length === 0 ? true : undefined), patience());
    await assert.rejects(fetch(`http://127.0.0.1:${zombie.ports.health}/healthz`));
    assert.equal(await zombie.stop(), 0);
  });
});

test('twins: the device list, an update with its result, a bad value on the topic with an empty id', async () => {
  await withCloud(async (cloud) => {
    const edge = (await Edge.make(cloud, {})).start();
    await registered(cloud);
    cloud.devices.add({ namespace: 'default', name: 'n1-agent', nodeName: 'n1', properties: ['state'] });
    const client = await connectAsync(`mqtt://127.0.0.1:${edge.ports.mqtt}`);
    await client.subscribeAsync('$hw/#');
    const topic = '$hw/events/device/default/n1-agent/twin/update';
    const answers: string[] = [];
    client.on('message', (from, payload) => answers.push(`${from} ${payload.toString()}`));
    const update = (value: string) => ({
      event_id: '7',
      timestamp: 1,
      twin: { state: { actual: { value } } },
    });
    await client.publishAsync('$hw/events/node/n1/membership/get', '{"event_id":"1"}', { qos: 1 });
    await client.publishAsync(topic, JSON.stringify(update('up')), { qos: 1 });
    await client.publishAsync(topic, JSON.stringify(update('up')), { qos: 1 });
    await client.publishAsync(topic, JSON.stringify(update('not allowed')), { qos: 1 });
    await cloud.store.until(
      () => (cloud.devices.get('default/n1-agent')?.reported['state'] === 'up' ? true : undefined),
      patience(),
    );
    const isRefused = () => answers.some((line) => line.startsWith('$hw/events/device//twin/update/result'));
    while (!isRefused()) {
      await new Promise<void>((resolve) => {
        client.once('message', () => resolve());
      });
    }
    assert.ok(
      answers.some((line) => line.includes('membership/get/result') && line.includes('default/n1-agent')),
    );
    assert.ok(answers.some((line) => line.startsWith(`${topic}/result`) && line.includes('"event_id":"7"')));
    await client.endAsync();
    await edge.stop();
  });
});

test('servicebus: the cloud asks a local HTTP service through the node', async () => {
  await withCloud(async (cloud) => {
    const service = createHttp((request, response) => response.end(`${request.method} ${request.url}`));
    await listen(service, 0);
    const address = service.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const edge = (await Edge.make(cloud, {})).start();
    await registered(cloud);
    const control = await startControl(cloud, 0);
    const at = control.address();
    const controlPort = typeof at === 'object' && at !== null ? at.port : 0;
    const answer = await fetch(`http://127.0.0.1:${controlPort}/service-bus/n1`, {
      method: 'POST',
      body: JSON.stringify({ port, path: '/healthz' }),
    });
    assert.deepEqual(await answer.json(), { status: 200, body: 'GET /healthz' });
    control.close();
    service.close();
    await edge.stop();
  });
});

test('a message of the edge that names the router reaches the cloud as an upload', async () => {
  await withCloud(async (cloud) => {
    const edge = (await Edge.make(cloud, {})).start();
    await registered(cloud);
    const client = await connectAsync(`mqtt://127.0.0.1:${edge.ports.mqtt}`);
    await client.publishAsync('default/agent/report', '{"a":1}', { qos: 1 });
    const upload = await cloud.store.until(
      () => cloud.received.find(({ message }) => message.route.operation === 'upload'),
      patience(),
    );
    assert.equal(upload.message.route.resource, 'default/agent/report');
    assert.equal(upload.message.content, '{"a":1}');
    await client.endAsync();
    await edge.stop();
  });
});

test('the launcher is a plain script that needs nothing but a Node', async () => {
  assert.ok(((await stat(launcher)).mode & 0o111) !== 0);
  const child = spawn(launcher, ['--minconfig'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  assert.deepEqual(await once(child, 'close'), [0, null]);
  assert.equal(parse(text).modules.edgeHub.enable, false);
});
