import type { EdgeNode, EdgeNodes } from '../core/edge-node.ts';
import type { Files } from '../core/files.ts';
import { parseCloudAddress } from './cloud-address.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import type { EdgePlaces } from './edge-places.ts';
import type { NodeRecords } from './node-record.ts';
import { type Tree, textAt, valueAt } from './tree.ts';

/** What the answer is made from. */
export interface JoinedNodePorts {
  readonly files: Files;
  readonly keeper: ConfigKeeper;
  readonly records: NodeRecords;
  readonly places: EdgePlaces;
  /** Version of edgecore without `v`, where it is known by now. */
  readonly version: () => string | undefined;
}

const defaultProject = 'e632aba927ea4ac2b575ec1603d56f10';

/** Tells what this board has joined, from edgecore.yaml as it is now: the operator may have changed it. */
export class JoinedNode implements EdgeNodes {
  readonly #ports: JoinedNodePorts;

  constructor(ports: JoinedNodePorts) {
    this.#ports = ports;
  }

  async read(): Promise<EdgeNode | undefined> {
    const { records, keeper, version } = this.#ports;
    const record = records.current ?? (await records.read());
    const tree = record === undefined ? undefined : await keeper.read();
    if (record === undefined || tree === undefined) return undefined;
    return {
      node: textAt(tree, ['modules', 'edged', 'hostnameOverride']) ?? record.node,
      edgecoreVersion: version(),
      hub: await this.#hub(tree),
      broker: brokerOf(tree),
      metaServer: metaServerOf(tree),
    };
  }

  watch(listener: () => void): () => void {
    return this.#ports.records.watch(listener);
  }

  async #hub(tree: Tree): Promise<EdgeNode['hub']> {
    const hub = (...path: readonly string[]): string | undefined =>
      textAt(tree, ['modules', 'edgeHub', ...path]);
    const { places, files } = this.#ports;
    const address = parseCloudAddress(hub('websocket', 'server') ?? '', 1);
    const tls = {
      caFile: hub('tlsCaFile') ?? places.caFile,
      certFile: hub('tlsCertFile') ?? places.certFile,
      keyFile: hub('tlsPrivateKeyFile') ?? places.keyFile,
    };
    const texts = await Promise.all(
      Object.values(tls).map((file) => files.read(file).catch(() => undefined)),
    );
    if (!address.ok || texts.includes(undefined)) return undefined;
    return {
      host: address.address.host,
      port: address.address.hubPort,
      projectId: hub('projectID') ?? defaultProject,
      tls,
    };
  }
}

function brokerOf(tree: Tree): EdgeNode['broker'] {
  const bus = (...path: readonly string[]): unknown => valueAt(tree, ['modules', 'eventBus', ...path]);
  if (bus('enable') === false) return undefined;
  const text = (...path: readonly string[]): string | undefined =>
    textAt(tree, ['modules', 'eventBus', ...path]);
  const mode = bus('mqttMode') ?? 2;
  if (mode === 0 || mode === 1) return { url: text('mqttServerInternal') ?? 'tcp://127.0.0.1:1884' };
  const [username, password] = [text('mqttUsername'), text('mqttPassword')];
  return {
    url: text('mqttServerExternal') ?? 'tcp://127.0.0.1:1883',
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(bus('eventBusTLS', 'enable') === true ? brokerTls(text) : {}),
  };
}

function brokerTls(
  text: (...path: readonly string[]) => string | undefined,
): Pick<NonNullable<EdgeNode['broker']>, 'tls'> {
  const caFile = text('eventBusTLS', 'tlsMqttCAFile');
  const certFile = text('eventBusTLS', 'tlsMqttCertFile');
  const keyFile = text('eventBusTLS', 'tlsMqttPrivateKeyFile');
  if (caFile === undefined || certFile === undefined || keyFile === undefined) return {};
  return { tls: { caFile, certFile, keyFile } };
}

function metaServerOf(tree: Tree): string | undefined {
  const meta = ['modules', 'metaManager', 'metaServer'];
  if (valueAt(tree, [...meta, 'enable']) !== true) return undefined;
  return `http://${textAt(tree, [...meta, 'server']) ?? '127.0.0.1:10550'}`;
}
