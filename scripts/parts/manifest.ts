import { AgentError } from '../../agent/core/agent-error.ts';
import { type Part, type PartFile, type PartSet, partId } from './part.ts';

const mebibyte = 1024 * 1024;

/** The names in docker's static archive that the agent needs (docker/docker-ce-packaging static/Makefile, all branches). */
const dockerNames = [
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'docker',
  'docker-init',
  'docker-proxy',
  'dockerd',
  'runc',
];

/** Plugins that a bridge network with published ports and a loopback needs, and those for other common set-ups. */
const cniNames = ['bridge', 'firewall', 'host-local', 'loopback', 'macvlan', 'portmap', 'ptp', 'tuning'];

function program(from: string, to: string): PartFile {
  return { from, to, rule: 'static-program' };
}

/** Node built without any library (yao-pkg/pkg-fetch lib-es5/expected-shas.json, 3.6.6). */
function staticNode(version: string, sha256: string): Part {
  const from = `node-v${version}-linuxstatic-arm64`;
  return {
    name: 'node',
    version,
    architecture: 'arm64',
    licence: 'MIT',
    source: {
      kind: 'download',
      url: `https://github.com/yao-pkg/pkg-fetch/releases/download/v3.6/${from}`,
      checksum: { kind: 'pinned', sha256 },
      size: null,
      sizeLimit: 256 * mebibyte,
      archive: 'file',
    },
    files: [program(from, 'node')],
    about: 'Node runtime, fully static: nothing of the board is needed',
  };
}

/** The Node project's own glibc build; the board has no glibc, so node-libraries must come along. */
function officialNode(version: string): Part {
  const folder = `node-v${version}-linux-arm64`;
  const base = `https://nodejs.org/dist/v${version}`;
  return {
    name: 'node-glibc',
    version,
    architecture: 'arm64',
    licence: 'MIT',
    source: {
      kind: 'download',
      url: `${base}/${folder}.tar.gz`,
      checksum: { kind: 'published', algorithm: 'sha256', url: `${base}/SHASUMS256.txt` },
      size: null,
      sizeLimit: 128 * mebibyte,
      archive: 'tar.gz',
      mayHoldLinks: true,
    },
    files: [{ from: `${folder}/bin/node`, to: 'node', rule: 'carried-program' }],
    about: 'Node runtime, official build: needs the part node-libraries beside it',
  };
}

/** Docker publishes no sums beside its static archives. */
function docker(version: string): Part {
  return {
    name: 'docker',
    version,
    architecture: 'arm64',
    licence: 'Apache-2.0',
    source: {
      kind: 'download',
      url: `https://download.docker.com/linux/static/stable/aarch64/docker-${version}.tgz`,
      checksum: { kind: 'first-use' },
      size: null,
      sizeLimit: 192 * mebibyte,
      archive: 'tar.gz',
    },
    files: dockerNames.map((name) => program(`docker/${name}`, name)),
    about: 'docker static archive: dockerd, containerd, runc and their helpers',
  };
}

/**
 * KubeEdge's release archives; the bare sha512 lies beside them (kubeedge/kubeedge hack/make-rules/release.sh, v1.22).
 * Release builds of edgecore may want glibc (hack/lib/golang.sh); then the check of the program says so.
 */
function kubeEdge(name: 'edgecore' | 'keadm', version: string): Part {
  const stem = `${name === 'keadm' ? 'keadm' : 'kubeedge'}-v${version}-linux-arm64`;
  const base = `https://github.com/kubeedge/kubeedge/releases/download/v${version}`;
  return {
    name,
    version,
    architecture: 'arm64',
    licence: 'Apache-2.0',
    source: {
      kind: 'download',
      url: `${base}/${stem}.tar.gz`,
      checksum: { kind: 'published', algorithm: 'sha512', url: `${base}/checksum_${stem}.tar.gz.txt` },
      size: null,
      sizeLimit: 256 * mebibyte,
      archive: 'tar.gz',
    },
    files: [program(`${stem}/${name === 'keadm' ? 'keadm' : 'edge'}/${name}`, name)],
    about: name === 'keadm' ? "KubeEdge's installer, for the cloud side" : 'KubeEdge edge node program',
  };
}

function cniPlugins(version: string): Part {
  const url = `https://github.com/containernetworking/plugins/releases/download/v${version}/cni-plugins-linux-arm64-v${version}.tgz`;
  return {
    name: 'cni-plugins',
    version,
    architecture: 'arm64',
    licence: 'Apache-2.0',
    source: {
      kind: 'download',
      url,
      checksum: { kind: 'published', algorithm: 'sha256', url: `${url}.sha256` },
      size: null,
      sizeLimit: 128 * mebibyte,
      archive: 'tar.gz',
    },
    files: cniNames.map((name) => program(name, name)),
    about: 'CNI plugins, for pods in their own network (KubeEdge from 1.14 on always)',
  };
}

const busybox: Part = {
  name: 'busybox',
  version: '1.31.0',
  architecture: 'arm64',
  licence: 'GPL-2.0-only',
  source: {
    kind: 'download',
    url: 'https://busybox.net/downloads/binaries/1.31.0-defconfig-multiarch-musl/busybox-armv8l',
    checksum: { kind: 'first-use' },
    size: null,
    sizeLimit: 8 * mebibyte,
    archive: 'file',
  },
  files: [program('busybox-armv8l', 'busybox')],
  about: 'static busybox: unshare, nsenter, ip and the like, which toybox lacks on some variants',
};

function handedIn(name: string, licence: string, files: readonly PartFile[], texts: HandedInTexts): Part {
  const source = { kind: 'handed-in', how: texts.how } as const;
  return { name, version: 'own', architecture: 'arm64', licence, source, files, about: texts.about };
}

interface HandedInTexts {
  readonly about: string;
  readonly how: string;
}

/** Every part and version that is known. */
export const manifest: readonly Part[] = [
  staticNode('22.23.2', 'd587135cc24c6453c6fb97509c0468209887c0aaf56574f4ffb5e2ddb2c6f0f8'),
  staticNode('20.20.2', 'c05b6834f7d64cec6e56c6239ea57f5d57a4f00f574afb5621e08ae838f0d8e6'),
  officialNode('22.23.2'),
  officialNode('20.20.2'),
  handedIn('node-libraries', 'LGPL-2.1-or-later', [], {
    about: 'loader and libraries for node-glibc',
    how: 'add node-libraries FOLDER, with the lib folder of an arm64 glibc system such as lib/aarch64-linux-gnu',
  }),
  ...['28.5.2', '27.5.1', '26.1.4', '25.0.5', '24.0.9', '23.0.6', '20.10.24'].map(docker),
  busybox,
  ...['1.22.1', '1.20.0', '1.18.2', '1.16.4', '1.15.2', '1.14.4', '1.13.4', '1.12.6', '1.10.3'].flatMap(
    (version) => [kubeEdge('edgecore', version), kubeEdge('keadm', version)],
  ),
  handedIn('edgecore', 'Apache-2.0', [program('edgecore', 'edgecore')], {
    about: 'edgecore built by you, static',
    how: "build it static for arm64 with KubeEdge's build/edge/Dockerfile, then: add edgecore FILE",
  }),
  cniPlugins('1.5.1'),
  cniPlugins('1.3.0'),
  handedIn('pause', 'Apache-2.0', [{ from: 'pause.tar', to: 'pause.tar', rule: 'data' }], {
    about: 'pause image as an archive, for boards that cannot reach a registry',
    how: 'on a machine with docker: docker pull --platform linux/arm64 IMAGE; docker save -o pause.tar IMAGE; then: add pause pause.tar',
  }),
  handedIn('iptables', 'GPL-2.0-only', [program('xtables-legacy-multi', 'xtables-legacy-multi')], {
    about: 'static legacy iptables, for OpenHarmony 3.1, which has none',
    how: 'build iptables with --enable-static --disable-shared --disable-nftables for arm64, then: add iptables xtables-legacy-multi',
  }),
];

/** Choices that go together. */
export const partSets: readonly PartSet[] = [
  {
    name: 'docker',
    about: 'containers without KubeEdge, and KubeEdge with CRI: runc from 28 on reads the noprefix cpuset',
    parts: ['node@22.23.2', 'busybox@1.31.0', 'docker@28.5.2'],
  },
  {
    name: 'dockershim',
    about: 'KubeEdge up to 1.12, which speaks to dockerd itself; edgecore is handed in (static build)',
    parts: ['node@22.23.2', 'busybox@1.31.0', 'docker@20.10.24'],
  },
  {
    name: 'cri',
    about: 'KubeEdge from 1.14 on over containerd; edgecore is handed in (static build)',
    parts: ['node@22.23.2', 'busybox@1.31.0', 'docker@28.5.2', 'cni-plugins@1.5.1'],
  },
];

/** Finds parts by `name`, `name@version` or the name of a set; a bare name means its first, newest version. */
export function findParts(wanted: readonly string[], from: readonly Part[] = manifest): readonly Part[] {
  const found = new Map<string, Part>();
  for (const word of wanted.flatMap(expandSet)) {
    const part = from.find((one) => one.name === word || partId(one) === word);
    if (part === undefined) throw unknownPart(word, from);
    found.set(part.name, part);
  }
  return [...found.values()];
}

function expandSet(word: string): readonly string[] {
  return partSets.find(({ name }) => `set:${name}` === word)?.parts ?? [word];
}

function unknownPart(word: string, from: readonly Part[]): AgentError {
  const [name] = word.split('@');
  const versions = from.filter((part) => part.name === name).map(({ version }) => version);
  const known =
    versions.length > 0
      ? `versions are ${versions.join(', ')}`
      : `want ${[...new Set(from.map((part) => part.name))].join(', ')} or ${partSets.map((set) => `set:${set.name}`).join(', ')}`;
  return new AgentError('USAGE', `Cannot find the part "${word}": ${known}; see "parts list"`);
}
