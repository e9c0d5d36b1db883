import { AgentError } from '../core/agent-error.ts';
import { type ElfFacts, readElf } from '../core/elf.ts';
import type { ContainerOrder, ContainerResult } from './engine.ts';
import { classifyText, type Fault } from './faults.ts';
import { busyboxPath } from './image.ts';

/** What a rung found: the lines to show, and the fault where it broke. */
export interface RungResult {
  readonly output: string;
  readonly fault?: Fault;
}

/** Memory limit of the second container in bytes: small, and above the least that dockerd accepts (6 MiB). */
const memoryLimit = 33_554_432;
/** Milliseconds that a container's program may take; an emulated board on a busy machine needs 20 s. */
const runMs = 90_000;

/** Says its token and the kernel. Shell built-ins only, everything else through busybox by path. */
const sayToken = `echo "token $1"; echo "kernel $(${busyboxPath} uname -srm)"`;

/**
 * Says the memory limit that the program itself sees (v2, then v1), where, and whether the bridge's gateway answers. The
 * v1 directory may have any name: runc calls it as the first mount of the controller is called
 * (opencontainers/runc libcontainer/cgroups/v1_utils.go), and on OpenHarmony that is /dev/memcg.
 */
const sayNetwork = `echo "token $1"
for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/*/memory.limit_in_bytes; do
  [ -r "$file" ] && read -r limit < "$file" && echo "memory-limit $limit" && echo "memory-file $file" && break
done
${busyboxPath} ip -4 route > /tmp/routes
while read -r to via gateway rest; do
  [ "$to" = default ] && echo "gateway $gateway" && ${busyboxPath} ping -c 1 -w 10 "$gateway" > /dev/null 2>&1 && echo "ping answered"
done < /tmp/routes
exit 0`;

const sayName = `echo "token $1"; ${busyboxPath} nslookup "$2" && echo "resolved $2"; exit 0`;
const sayEgress = `echo "token $1"; ${busyboxPath} nc -w 10 "$2" "$3" -e ${busyboxPath} true && echo "reached $2:$3"; exit 0`;

/** Answers every connection with the token. */
const servedPort = 8_080;
const serve = `exec ${busyboxPath} nc -ll -p ${servedPort} -e ${busyboxPath} echo "token $1"`;

function shell(script: string, ...args: string[]): string[] {
  return [busyboxPath, 'sh', '-c', script, 'selftest', ...args];
}

/** First container: no network, no limits. */
export function runOrder(image: string, token: string): ContainerOrder {
  return { image, cmd: shell(sayToken, token), network: 'none', runMs };
}

/** Second container: bridge network and a memory limit. */
export function bridgeOrder(image: string, token: string): ContainerOrder {
  return { image, cmd: shell(sayNetwork, token), network: 'bridge', memoryBytes: memoryLimit, runMs };
}

/** The same limit without network: tells a broken limit from a broken bridge. */
export function limitOrder(image: string, token: string): ContainerOrder {
  return { ...bridgeOrder(image, token), network: 'none' };
}

/** Container that resolves a name. */
export function dnsOrder(image: string, token: string, name: string): ContainerOrder {
  return { image, cmd: shell(sayName, token, name), network: 'bridge', runMs };
}

/** Container that connects to `HOST:PORT`. */
export function egressOrder(image: string, token: string, target: string): ContainerOrder {
  const colon = target.lastIndexOf(':');
  const cmd = shell(sayEgress, token, target.slice(0, colon), target.slice(colon + 1));
  return { image, cmd, network: 'bridge', runMs };
}

/** Container that answers on a published port. */
export function publishOrder(image: string, token: string): ContainerOrder {
  return { image, cmd: shell(serve, token), network: 'bridge', publishedPort: servedPort, runMs };
}

/** The published port leads to the container. */
export function judgePublish(text: string, token: string, port: number): RungResult {
  const output = `127.0.0.1:${port} answered "${text.trim().slice(0, 200)}"`;
  if (text.trim() === `token ${token}`) return { output };
  const message = `the published port ${port} does not lead to its container: check NAT and docker-proxy (\`agentctl doctor\`)`;
  return { output, fault: { reason: 'PublishFailed', message } };
}

/** The container really ran: it said the token that only this run knows. */
export function judgeRun(result: ContainerResult, token: string): RungResult {
  const output = result.output.trim();
  if (said(result, 'token') === token && result.exitCode === 0) return { output };
  const seen = `exit code ${result.exitCode}, output "${output.slice(0, 200)}"`;
  return { output, fault: classifyText(seen, 'OutputWrong') };
}

/** The bridge carries packets: the container has a gateway and that answers. */
export function judgeBridge(result: ContainerResult, token: string): RungResult {
  const run = judgeRun(result, token);
  if (run.fault !== undefined) return run;
  const { output } = run;
  if (said(result, 'gateway') === undefined) {
    return {
      output,
      fault: {
        reason: 'NoGateway',
        message: 'the container got no default route: see `agentctl logs dockerd`',
      },
    };
  }
  if (said(result, 'ping') === 'answered') return { output };
  return {
    output,
    fault: {
      reason: 'GatewayUnreachable',
      message:
        'the bridge does not answer its own container: a policy rule or a firewall takes the packets; see `agentctl plan` and `agentctl doctor`',
    },
  };
}

/** Where programs look for their memory limit: cgroup v2, v1. */
const memoryFiles = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];

/** The limit is held by the engine and seen by the program where programs look. */
export function judgeLimit(result: ContainerResult): RungResult {
  const seen = said(result, 'memory-limit');
  const file = said(result, 'memory-file') ?? '';
  const output = `memory-limit ${seen ?? 'not visible'}, engine holds ${result.memoryBytes}`;
  if (seen !== String(memoryLimit) || result.memoryBytes !== memoryLimit) {
    // Not the warning about swap: without swap accounting the limit still holds.
    const warning = result.warnings.find((text) => /memory limit|limitation discarded/i.test(text));
    if (warning !== undefined) return { output, fault: classifyText(warning, 'MemoryCgroupMissing') };
    const message = `the memory cgroup does not hold the limit of ${memoryLimit} bytes: see \`agentctl plan\` and \`agentctl doctor\``;
    return { output, fault: { reason: 'MemoryLimitIgnored', message } };
  }
  if (memoryFiles.includes(file)) return { output };
  const message = `the limit holds, but at ${file}, where no program looks: the controller is mounted under another name first; see \`agentctl plan\``;
  return { output, fault: { reason: 'MemoryLimitHidden', message } };
}

/** The name was resolved. */
export function judgeDns(result: ContainerResult, name: string): RungResult {
  const output = result.output.trim();
  if (said(result, 'resolved') === name) return { output };
  const message = `a container cannot resolve "${name}": check prep.dns and that containers reach the name server`;
  return { output, fault: { reason: 'DnsFailed', message } };
}

/** The address was reached. */
export function judgeEgress(result: ContainerResult, target: string): RungResult {
  const output = result.output.trim();
  if (said(result, 'reached') === target) return { output };
  const message = `a container cannot connect to ${target}: check the routes (\`agentctl plan\`) and NAT (\`agentctl doctor\`)`;
  return { output, fault: { reason: 'EgressFailed', message } };
}

/** What the container said after a word at the start of a line. */
function said({ output }: ContainerResult, word: string): string | undefined {
  const line = output.split('\n').find((text) => text.startsWith(`${word} `));
  return line?.slice(word.length + 1).trim();
}

/** Docker's words for machines, where they are others. */
const dockerWords: Readonly<Record<string, string>> = {
  x86: '386',
  x86_64: 'amd64',
  aarch64: 'arm64',
  loongarch64: 'loong64',
};

/** Refuses a busybox that cannot run in a container of this board before dockerd says less clearly so. */
export function refuseBusybox(busybox: Uint8Array, wanted: string): void {
  const refuse = (why: string): never => {
    throw new AgentError('SELFTEST_FAILED', `Cannot use busybox: ${why}`);
  };
  const facts = elfFacts(busybox);
  if (facts === undefined) return refuse('it is no ELF file, or cut short');
  if (!facts.isStatic) return refuse('it is dynamically linked, want static');
  const architecture = dockerWords[facts.machine] ?? facts.machine;
  if (architecture !== wanted) refuse(`it is for ${architecture}, want ${wanted}`);
}

function elfFacts(bytes: Uint8Array): ElfFacts | undefined {
  try {
    return readElf(bytes);
  } catch {
    return undefined;
  }
}
