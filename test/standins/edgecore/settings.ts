import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { defaultConfig } from './defaults.ts';

type Json = Record<string, unknown>;

/** v1alpha1 has no key for the port; a test that runs several edges names one. */
const fixedReadOnlyPort = process.env['STANDIN_READ_ONLY_PORT'] ?? 10350;

/** The fields of edgecore.yaml that the stand-in acts on. */
export interface Settings {
  readonly nodeName: string;
  readonly edgedEnabled: boolean;
  readonly runtimeEndpoint: string;
  /** Where images are asked for; undefined in releases and with runtimes that have no place of their own for it. */
  readonly imageEndpoint: string | undefined;
  readonly readOnlyPort: number;
  readonly statusMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly hub: {
    readonly enabled: boolean;
    readonly httpServer: string;
    readonly server: string;
    readonly projectId: string;
    readonly heartbeatMs: number;
    readonly token: string;
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
  };
  readonly eventBus: {
    readonly enabled: boolean;
    readonly mode: number;
    readonly internal: string;
    readonly external: string;
  };
  readonly metaServer: string | undefined;
  readonly serviceBusEnabled: boolean;
}

/** A configuration file as read: the settings and the whole overlaid tree. */
export interface Loaded {
  readonly settings: Settings;
  readonly tree: Json;
}

/**
 * Overlays the YAML file on the release's defaults, as Go's unmarshalling into a pre-filled struct does: maps merge,
 * lists and scalars replace, unknown fields are ignored. Throws with the text that edgecore prints.
 */
export async function loadSettings(file: string, minor: number): Promise<Loaded> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Error(`failed to get config file: open ${file}: no such file or directory`);
  });
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch (error) {
    throw new Error(`error converting YAML to JSON: yaml: ${String(error).split('\n')[0]}`, { cause: error });
  }
  const tree = overlay(defaultConfig(minor), isObject(parsed) ? parsed : {});
  const settings = settingsOf(tree);
  validate(settings, minor);
  return { settings, tree };
}

/** YAML text of a tree, as edgecore writes it back: comments are lost. */
export function encodeTree(tree: Json): string {
  return stringify(tree);
}

/** The same tree with another value at a path. */
export function withValue(tree: Json, path: readonly string[], value: unknown): Json {
  const [head, ...rest] = path;
  if (head === undefined) return tree;
  const child = tree[head];
  return {
    ...tree,
    [head]: rest.length === 0 ? value : withValue(isObject(child) ? child : {}, rest, value),
  };
}

function settingsOf(tree: Json): Settings {
  const at: Look = (...path) =>
    path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), tree);
  const edged: Look = (...path) => at('modules', 'edged', ...path);
  const bus: Look = (...path) => at('modules', 'eventBus', ...path);
  const metaServer: Look = (...path) => at('modules', 'metaManager', 'metaServer', ...path);
  return {
    nodeName: text(edged('hostnameOverride')),
    edgedEnabled: edged('enable') === true,
    runtimeEndpoint: runtimeEndpoint(edged),
    imageEndpoint: text(edged('tailoredKubeletConfig', 'imageServiceEndpoint')) || undefined,
    readOnlyPort: Number(edged('tailoredKubeletConfig', 'readOnlyPort') ?? fixedReadOnlyPort),
    statusMs: durationMs(edged('tailoredKubeletConfig', 'nodeStatusUpdateFrequency')),
    labels: (edged('nodeLabels') ?? edged('labels') ?? {}) as Record<string, string>,
    hub: hubSettings((...path) => at('modules', 'edgeHub', ...path)),
    eventBus: {
      enabled: bus('enable') === true,
      mode: Number(bus('mqttMode') ?? 2),
      internal: text(bus('mqttServerInternal')),
      external: text(bus('mqttServerExternal')),
    },
    metaServer: metaServer('enable') === true ? text(metaServer('server')) : undefined,
    serviceBusEnabled: at('modules', 'serviceBus', 'enable') === true,
  };
}

type Look = (...path: readonly string[]) => unknown;

function hubSettings(hub: Look): Settings['hub'] {
  return {
    enabled: hub('enable') === true,
    httpServer: text(hub('httpServer')),
    server: text(hub('websocket', 'server')),
    projectId: text(hub('projectID')),
    heartbeatMs: Number(hub('heartbeat') ?? 15) * 1000,
    token: text(hub('token')),
    caFile: text(hub('tlsCaFile')),
    certFile: text(hub('tlsCertFile')),
    keyFile: text(hub('tlsPrivateKeyFile')),
  };
}

function runtimeEndpoint(edged: Look): string {
  const isDocker = edged('containerRuntime') === 'docker' || edged('runtimeType') === 'docker';
  if (isDocker) return text(edged('dockerEndpoint') ?? edged('dockerAddress'));
  return text(edged('tailoredKubeletConfig', 'containerRuntimeEndpoint') ?? edged('remoteRuntimeEndpoint'));
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function validate(settings: Settings, minor: number): void {
  const { nodeName, edgedEnabled, readOnlyPort, eventBus } = settings;
  if (edgedEnabled && !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(nodeName)) {
    throw invalid(
      `HostnameOverride: Invalid value: "${nodeName}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters`,
    );
  }
  if (minor >= 19 && edgedEnabled && readOnlyPort === 0) throw new Error('edged readOnlyPort must not be 0');
  if (![0, 1, 2].includes(eventBus.mode)) {
    throw invalid(`Mode: Invalid value: ${eventBus.mode}: Mode need in [0,2] range`);
  }
}

/** The errors of validation come as a list over several lines, as seen from edgecore 1.12.1. */
function invalid(problem: string): Error {
  return new Error(`[\n  ${problem}\n]`);
}

function durationMs(value: unknown): number {
  const match = /^(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text(value ?? '10s'));
  return match === null ? 10_000 : Number(match[1] ?? 0) * 60_000 + Number(match[2] ?? 0) * 1000;
}

function overlay(base: Json, over: Json): Json {
  const merged: Json = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const before = merged[name];
    merged[name] = isObject(value) && isObject(before) ? overlay(before, value) : (value ?? before);
  }
  return merged;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
