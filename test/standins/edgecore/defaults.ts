import { hostname, networkInterfaces } from 'node:os';

type Json = Record<string, unknown>;

const etc = '/etc/kubeedge';
const edgeCertificates = {
  tlsCaFile: `${etc}/ca/rootCA.crt`,
  tlsCertFile: `${etc}/certs/server.crt`,
  tlsPrivateKeyFile: `${etc}/certs/server.key`,
};

/**
 * The configuration that `edgecore --defaultconfig` of KubeEdge 1.<minor> prints, as far as the stand-in's readers look
 * at it (pkg/apis/componentconfig/edgecore/*\/default.go of each release; many kubelet fields are left out).
 */
export function defaultConfig(minor: number): Json {
  const ip = localAddress();
  return {
    apiVersion: `edgecore.config.kubeedge.io/${minor < 12 ? 'v1alpha1' : 'v1alpha2'}`,
    database: { aliasName: 'default', dataSource: '/var/lib/kubeedge/edgecore.db', driverName: 'sqlite3' },
    kind: 'EdgeCore',
    modules: {
      dbTest: { enable: false },
      deviceTwin: { ...(minor >= 16 ? { dmiSockPath: `${etc}/dmi.sock` } : {}), enable: true },
      edgeHub: edgeHub(minor, ip),
      edgeStream: {
        enable: false,
        handshakeTimeout: 30,
        readDeadline: 15,
        server: '127.0.0.1:10004',
        tlsTunnelCAFile: edgeCertificates.tlsCaFile,
        tlsTunnelCertFile: edgeCertificates.tlsCertFile,
        tlsTunnelPrivateKeyFile: edgeCertificates.tlsPrivateKeyFile,
        writeDeadline: 15,
      },
      edged: minor < 12 ? edgedAlpha1(ip) : edgedAlpha2(minor),
      eventBus: eventBus(),
      metaManager: {
        contextSendGroup: 'hub',
        contextSendModule: 'websocket',
        enable: true,
        metaServer: {
          ...(minor >= 17 ? { dummyServer: '169.254.30.10:10550' } : {}),
          enable: false,
          server: '127.0.0.1:10550',
          ...(minor < 12 ? {} : edgeCertificates),
        },
        remoteQueryTimeout: 60,
      },
      serviceBus: { enable: false, port: 9060, server: '127.0.0.1', timeout: 60 },
      ...(minor >= 21 ? { taskManager: { enable: false } } : {}),
    },
  };
}

/** The trap of `--minconfig`: modules that the node needs are switched off. */
export function minConfig(minor: number): Json {
  const full = defaultConfig(minor);
  const modules = full['modules'] as Record<string, Json>;
  return {
    ...full,
    modules: {
      deviceTwin: { enable: minor < 16 },
      edgeHub: { ...modules['edgeHub'], enable: false },
      edged: modules['edged'],
      eventBus: { ...modules['eventBus'], enable: false },
    },
  };
}

function edgeHub(minor: number, ip: string): Json {
  const transport = { handshakeTimeout: 30, readDeadline: 15, writeDeadline: 15 };
  return {
    enable: true,
    heartbeat: 15,
    httpServer: `https://${ip}:10002`,
    ...(minor >= 12 ? { messageBurst: 60, messageQPS: 30 } : {}),
    projectID: 'e632aba927ea4ac2b575ec1603d56f10',
    quic: { enable: false, server: `${ip}:10001`, ...transport },
    rotateCertificates: true,
    ...edgeCertificates,
    token: '',
    websocket: { enable: true, server: `${ip}:10000`, ...transport },
  };
}

function eventBus(): Json {
  return {
    enable: true,
    eventBusTLS: {
      enable: false,
      tlsMqttCAFile: edgeCertificates.tlsCaFile,
      tlsMqttCertFile: edgeCertificates.tlsCertFile,
      tlsMqttPrivateKeyFile: edgeCertificates.tlsPrivateKeyFile,
    },
    mqttMode: 2,
    mqttPassword: '',
    mqttPubClientID: '',
    mqttQOS: 0,
    mqttRetain: false,
    mqttServerExternal: 'tcp://127.0.0.1:1883',
    mqttServerInternal: 'tcp://127.0.0.1:1884',
    mqttSessionQueueSize: 100,
    mqttSubClientID: '',
    mqttUsername: '',
  };
}

function edgedAlpha1(ip: string): Json {
  return {
    annotations: {},
    cgroupDriver: 'cgroupfs',
    cgroupRoot: '',
    cgroupsPerQOS: true,
    clusterDNS: '',
    clusterDomain: '',
    cniBinDir: '/opt/cni/bin',
    cniCacheDirs: '/var/lib/cni/cache',
    cniConfDir: '/etc/cni/net.d',
    dockerAddress: 'unix:///var/run/docker.sock',
    enable: true,
    hostnameOverride: hostname().toLowerCase(),
    imageGCHighThreshold: 80,
    imageGCLowThreshold: 40,
    labels: {},
    networkPluginMTU: 1500,
    nodeIP: ip,
    nodeStatusUpdateFrequency: 10,
    podSandboxImage: 'kubeedge/pause:3.1',
    registerNode: true,
    registerNodeNamespace: 'default',
    remoteImageEndpoint: 'unix:///var/run/dockershim.sock',
    remoteRuntimeEndpoint: 'unix:///var/run/dockershim.sock',
    runtimeType: 'docker',
    taints: [],
  };
}

function edgedAlpha2(minor: number): Json {
  const endpoint = minor < 13 ? 'unix:///var/run/dockershim.sock' : 'unix:///run/containerd/containerd.sock';
  return {
    ...(minor < 18 ? { containerRuntime: minor < 13 ? 'docker' : 'remote' } : {}),
    ...(minor < 14 ? dockershim(minor) : {}),
    enable: true,
    hostnameOverride: hostname().toLowerCase(),
    maxContainerCount: -1,
    maxPerPodContainerCount: 1,
    minimumGCAge: '0s',
    nodeLabels: {},
    podSandboxImage: `kubeedge/pause:${minor < 13 ? '3.1' : '3.6'}`,
    registerNodeNamespace: 'default',
    registerSchedulable: true,
    ...(minor < 18
      ? { registerNode: true, remoteImageEndpoint: endpoint, remoteRuntimeEndpoint: endpoint }
      : {}),
    ...(minor >= 19 ? { reportEvent: false } : {}),
    rootDirectory: minor < 20 ? '/var/lib/edged' : '/var/lib/kubelet',
    tailoredKubeletConfig: kubeletConfig(minor, endpoint),
  };
}

function kubeletConfig(minor: number, endpoint: string): Json {
  return {
    address: '127.0.0.1',
    cgroupDriver: 'cgroupfs',
    cgroupsPerQOS: true,
    ...(minor >= 16 ? { containerRuntimeEndpoint: endpoint, imageServiceEndpoint: endpoint } : {}),
    contentType: 'application/json',
    enableServer: false,
    evictionHard: { 'imagefs.available': '15%', 'memory.available': '100Mi', 'nodefs.available': '10%' },
    failSwapOn: false,
    maxPods: 110,
    nodeLeaseDurationSeconds: 40,
    nodeStatusReportFrequency: '5m0s',
    nodeStatusUpdateFrequency: '10s',
    readOnlyPort: 10350,
    resolvConf: '/etc/resolv.conf',
    ...(minor >= 15 ? { staticPodPath: `${etc}/manifests` } : {}),
    ...(minor >= 22 ? { failCgroupV1: false } : {}),
    ...(minor >= 23 ? { crashLoopBackOff: {} } : {}),
    volumePluginDir: '/usr/libexec/kubernetes/kubelet-plugins/volume/exec/',
  };
}

function dockershim(minor: number): Json {
  const docker = {
    dockerEndpoint: 'unix:///var/run/docker.sock',
    dockershimRootDirectory: '/var/lib/dockershim',
  };
  return {
    ...(minor < 13 ? docker : {}),
    cniBinDir: '/opt/cni/bin',
    cniCacheDir: '/var/lib/cni/cache',
    cniConfDir: '/etc/cni/net.d',
    imagePullProgressDeadline: '1m0s',
    networkPluginMTU: 1500,
  };
}

function localAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1';
}
