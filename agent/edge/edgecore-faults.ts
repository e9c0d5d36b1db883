import { explainEnd, type Symptom } from '../core/end-faults.ts';
import type { Ended } from '../core/process.ts';
import type { Fault } from '../core/unit-spec.ts';

const newToken =
  'get a fresh token (`keadm gettoken`, or `npm run cloud -- token`) and run `agentctl rejoin --token-file FILE`';

/**
 * Last words of edgecore 1.10 to 1.23 and what they mean, most special first. Texts: kubeedge/kubeedge
 * edge/pkg/edgehub/certificate/certmanager.go, edge/cmd/edgecore/app/server.go, edge/pkg/edged/edged.go,
 * edge/pkg/eventbus, and the kubelet inside. Up to 1.20 the reason is a line that begins with F, later a panic.
 */
export const edgecoreSymptoms: readonly Symptom[] = [
  permanent(
    /credentials are in the wrong format/,
    'TokenMalformed',
    `The token does not have its four parts; ${newToken}`,
  ),
  permanent(
    /failed to validate CA certificate/,
    'WrongAuthority',
    `The cloud's certificate authority is not the one that the token names: wrong cloud address, or cloudcore was set up anew; ${newToken}`,
  ),
  permanent(
    /failed to get edge certificate.*[Tt]oken is expired/,
    'TokenExpired',
    `cloudcore refuses the token because its time is over (it lives 24 h); ${newToken}`,
  ),
  permanent(
    /failed to get edge certificate.*(Invalid authorization token|token validation failure)/,
    'TokenRejected',
    `cloudcore refuses the token: it is expired or was made by another cluster; ${newToken}`,
  ),
  permanent(
    /failed to verify the certificate for edgenode/,
    'CertificateRejected',
    `cloudcore does not renew the certificate; ${newToken}`,
  ),
  clock(/x509: certificate has expired or is not yet valid: current time \S+ is before/),
  {
    pattern: /x509: certificate has expired or is not yet valid/,
    reason: 'CloudCertificateExpired',
    message:
      "The cloud's certificate is over, or the board's clock is wrong; compare `date` with the cloud, then renew cloudcore's certificate",
  },
  {
    pattern: /x509: certificate is valid for (.{1,120}?), not (\S+)/,
    reason: 'CloudNameMismatch',
    message:
      "The cloud's certificate is for $1 and not for the address in use; add the address to cloudHub.advertiseAddress of cloudcore, or join with an address that the certificate has",
  },
  {
    pattern: /x509: certificate is valid for other names/,
    reason: 'CloudNameMismatch',
    message:
      "The cloud's certificate is not for the address in use; add the address to cloudHub.advertiseAddress of cloudcore, or join with an address that the certificate has",
  },
  {
    pattern: /x509: certificate signed by unknown authority/,
    reason: 'WrongAuthority',
    message: `The cloud's certificate is not from the authority that this node trusts; ${newToken}`,
    isPermanent: true,
  },
  network(
    /failed to get (CA|edge) certificate.*connection refused/,
    'CloudRefused',
    'refuses connections; is cloudcore up, and is port 10002 open',
  ),
  network(
    /failed to get (CA|edge) certificate.*(no such host|server misbehaving|name resolution)/,
    'CloudNameUnknown',
    'has no address for its name; check name servers (`agentctl doctor`), or join with an IP address',
  ),
  network(
    /failed to get (CA|edge) certificate.*(no route to host|network is unreachable)/,
    'CloudNoRoute',
    'cannot be reached from here; check cable, Wi-Fi and routes (`agentctl doctor`)',
  ),
  network(
    /failed to get (CA|edge) certificate.*(i\/o timeout|deadline exceeded|Client\.Timeout)/,
    'CloudTimedOut',
    'does not answer; a firewall may drop the packets',
  ),
  permanent(
    /unknown service runtime\.v1\.RuntimeService|CRI v1 runtime API is not implemented/,
    'RuntimeTooOld',
    'The container runtime does not speak CRI v1, which KubeEdge 1.15 and later need; use containerd 1.6 or later',
  ),
  {
    pattern:
      /(failed to run Kubelet|Start edged failed).*(containerd\.sock|dockershim\.sock|docker\.sock|runtime service|RuntimeService|service connection|Docker daemon)/,
    reason: 'RuntimeNotReady',
    message:
      'The container runtime did not answer edgecore; see the condition DockerReady and `agentctl logs dockerd`',
  },
  permanent(
    /kubelet cgroup driver: "?(\w+)"? is different from docker cgroup driver/,
    'CgroupDriverMismatch',
    'edgecore uses cgroup driver $1 and dockerd another; take the driver out of edgecore.yaml or dockerd.config, both are cgroupfs by default',
  ),
  permanent(
    /systemd not running on this host, cannot use systemd cgroups manager/,
    'CgroupDriverMismatch',
    'edgecore uses the cgroup driver systemd, and a board has no systemd; take cgroupDriver out of edgecore.yaml, cgroupfs is its default',
  ),
  {
    pattern: /Following Cgroup subsystem not mounted: (\[[^\]]*\])/,
    reason: 'CgroupMissing',
    message: 'The cgroup controllers $1 are not mounted; see `agentctl plan` and `agentctl doctor`',
  },
  {
    pattern: /cpu and memory cgroup hierarchy not unified/,
    reason: 'CgroupsNotUnified',
    message:
      'edgecore sits in different groups of cpu and memory; restart it with `agentctl restart edgecore`, and report this',
  },
  {
    pattern:
      /cgroup-root .* doesn't exist|failed to initialize top level QOS containers|[Ff]ailed to start ContainerManager/,
    reason: 'CgroupTrouble',
    message:
      'The kubelet inside edgecore cannot set up its cgroups; see `agentctl plan` and `agentctl doctor`',
  },
  {
    pattern: /no default routes found/,
    reason: 'NoDefaultRoute',
    message:
      'edgecore finds no default route and no address of its own; set modules.edged.nodeIP in edgecore.yaml, or bring up the network',
  },
  {
    pattern: /[Ll]aunch internal mqtt broker failed/,
    reason: 'MqttPortBusy',
    message: 'Another program holds port 1884 of the MQTT broker; stop it, or join with --mqtt external',
  },
  {
    pattern: /listen tcp \S*:10550: bind: address already in use/,
    reason: 'MetaServerPortBusy',
    message:
      "Another program holds port 10550 of edgecore's metaserver; stop that program, or join with --meta-server off",
  },
  {
    pattern: /(listen tcp 127\.0\.0\.1:10350|Failed to listen and serve).*/,
    reason: 'HealthPortBusy',
    message: 'Another program holds port 10350, perhaps a second edgecore; stop it',
  },
  {
    pattern: /(?:fail|cannot|bind|remove).*dmi\.sock|dmi\.sock.*(?:bind|fail|denied)/,
    reason: 'DmiSocketFailed',
    message:
      'edgecore cannot make its socket dmi.sock; is /etc/kubeedge there and writable? See `agentctl plan`',
  },
  {
    pattern: /failed to check the running environment: (.*)/,
    reason: 'EnvironmentRefused',
    message: 'edgecore refuses this environment ($1); stop the program that it names',
  },
  permanent(
    /error (?:converting YAML|unmarshaling|unmarshalling)[^:]*: (.*)/,
    'ConfigUnreadable',
    'edgecore cannot read its edgecore.yaml ($1); correct the file or remove it, it is made anew',
  ),
  {
    pattern: /failed to update edgecore config file, err: (.*)/,
    reason: 'ConfigNotWritable',
    message: 'edgecore cannot write its edgecore.yaml ($1); see `agentctl plan`',
  },
  // The errors of validation are a list, one indented line each, that begins after the F line (pkg/util/validation).
  permanent(
    /^(?:F\d{4} .*?| +)((?:\S+: )?(?:Invalid value|Required value|unrecognized feature gate|must not be 0).*)/,
    'ConfigInvalid',
    'edgecore refuses a value of its edgecore.yaml ($1); correct it there',
  ),
  permanent(
    /unknown (?:short)?hand ?flag|unknown flag: (\S+)/,
    'FlagUnknown',
    'edgecore does not know the option $1; is the program really edgecore',
  ),
  {
    pattern: /database disk image is malformed|file is not a database/,
    reason: 'DatabaseBroken',
    message:
      'The database /var/lib/kubeedge/edgecore.db is broken, perhaps after a power cut; nothing to do where the cloud can be reached: it is set aside at the next start, and the cloud sends everything anew',
  },
  {
    pattern: /unable to open database file/,
    reason: 'DatabaseNotOpened',
    message:
      'edgecore cannot open its database; is /var/lib/kubeedge there and writable? See `agentctl plan` and `df`',
  },
];

/** The only sign of a program whose loader is missing: the kernel says that the file is not there although it is. */
const loaderMissing: Fault = {
  reason: 'LoaderMissing',
  message:
    'The kernel cannot start edgecore: the file is there, but the loader that it asks for is not, so it is a glibc build; put in a static build (build/edge/Dockerfile of KubeEdge)',
  isPermanent: true,
};

/** Names the fault behind an end of edgecore. It never ends by itself, so status 0 unasked is a fault too. */
export function explainEdgecoreEnd(ended: Ended, lines: readonly string[]): Fault {
  if (ended.how === 'spawn-failed' && ended.errno === 'ENOENT') return loaderMissing;
  // What it says in passing names sockets and files too, and is no fault.
  const grave = lastRun(lines).filter((line) => !/^I\d{4} /.test(line));
  const fault = explainEnd(ended, grave, edgecoreSymptoms);
  if (ended.how !== 'exited' || ended.code !== 0 || fault.reason !== 'Ended') return fault;
  const message =
    'It stopped with status 0 although nobody of us asked it to: a signal from outside, SIGHUP too, ends it';
  return { reason: 'EndedUnasked', message, isPermanent: false };
}

/**
 * Lines of the process that ended, without those of an earlier one: from its fatal line on where that one gives the reason,
 * else from the line in which it told its version.
 */
function lastRun(lines: readonly string[]): readonly string[] {
  const begun = lines.findLastIndex((line) => /\bVersion: v1\./.test(line));
  const fatal = lines.findLastIndex((line) => /^F\d{4} |^panic: |^fatal error: /.test(line));
  return fatal > begun && !isPanic(lines[fatal]) ? lines.slice(fatal) : lines.slice(Math.max(begun, 0));
}

/** From 1.21 on a nil pointer panic follows, after some lines, the one that says why the runtime or a port could not be used. */
function isPanic(line: string | undefined): boolean {
  return line?.startsWith('panic: runtime error') ?? false;
}

function permanent(pattern: RegExp, reason: string, message: string): Symptom {
  return { pattern, reason, message, isPermanent: true };
}

function network(pattern: RegExp, reason: string, what: string): Symptom {
  return { pattern, reason, message: `cloudcore ${what}. It is tried again` };
}

function clock(pattern: RegExp): Symptom {
  return {
    pattern,
    reason: 'ClockWrong',
    message:
      "The board's clock is behind: the cloud's certificate begins in its future; see the condition ClockSynced",
  };
}
