import type { Finding } from '../../api/wire.ts';
import { messageOf } from '../../core/agent-error.ts';
import type { GroundProbes } from '../../core/ground-probes.ts';
import { currentPart } from '../../core/part-places.ts';
import type { Programs } from '../../core/program.ts';
import { findProgram, isBuiltFor, machineName } from '../../core/program-check.ts';
import type { GroundSettings } from '../settings.ts';
import { fine, found } from './finding.ts';

const dockerParts = ['dockerd', 'containerd', 'containerd-shim-runc-v2', 'runc'] as const;

/** Programs that must be there and run on this machine. */
export async function checkParts(
  programs: Programs,
  settings: GroundSettings,
  isDockerWanted: boolean,
): Promise<readonly Finding[]> {
  const docker = isDockerWanted ? await dockerPaths(programs, settings) : [];
  return Promise.all([settings.busybox, ...docker].map((path) => checkPart(programs, path)));
}

/** Those of an update, where there is one, and the configured ones for the rest. */
async function dockerPaths(programs: Programs, settings: GroundSettings): Promise<readonly string[]> {
  const updated = currentPart(settings.home, 'dockerd');
  return Promise.all(
    dockerParts.map(async (name) => {
      const { facts, path } = await findProgram(name, [updated], programs);
      return facts.kind === 'file' ? path : `${settings.binDir}/${name}`;
    }),
  );
}

async function checkPart(programs: Programs, path: string): Promise<Finding> {
  const name = path.split('/').at(-1) ?? path;
  const id = `parts.${name}`;
  const title = `${name} is there and runs on this machine`;
  const machine = machineName(programs.machine);
  const wrong = (seen: string, fix: string): Finding => {
    const why =
      name === 'busybox'
        ? 'Nothing can be mounted and no route set'
        : 'dockerd does not start, or no container does';
    return found(id, title, {
      severity: 'error',
      seen: `${path}: ${seen}`,
      wanted: `a program for ${machine}`,
      why,
      fix,
    });
  };
  const facts = await programs.inspect(path).catch((error: unknown) => messageOf(error));
  if (typeof facts === 'string') return wrong(facts, 'check the disk that holds it');
  if (facts.kind === 'absent')
    return wrong('absent', 'put it there, or set its directory in the configuration (dockerd.binDir)');
  if (facts.kind === 'not-a-file')
    return wrong('not a file', 'remove what is there and put the program in its place');
  if (!facts.isExecutable) return wrong('not executable', `chmod 0755 ${path}`);
  if (facts.elf !== undefined && !isBuiltFor(programs.machine, facts.elf.machine)) {
    return wrong(
      `a program for ${machineName(facts.elf.machine)}`,
      `take the build of ${name} for ${machine}`,
    );
  }
  if (facts.elf === undefined && facts.interpreter === undefined) {
    return wrong('neither an ELF program nor a script', 'it was cut off or is something else: copy it again');
  }
  return fine(id, title, path);
}

/** The search path of units, for the iptables that dockerd will use. */
export async function findIptables(
  programs: Programs,
  settings: GroundSettings,
): Promise<string | undefined> {
  const directories = [
    settings.binDir,
    `${settings.productDir}/bin`,
    '/system/bin',
    '/usr/sbin',
    '/usr/bin',
    '/sbin',
    '/bin',
  ];
  for (const directory of directories) {
    const facts = await programs.inspect(`${directory}/iptables`).catch(() => undefined);
    if (facts?.kind === 'file' && facts.isExecutable) return `${directory}/iptables`;
  }
  return undefined;
}

/** The program, and what the board does with forwarded packets. */
export async function checkIptables(
  path: string | undefined,
  probes: GroundProbes,
): Promise<readonly Finding[]> {
  const version = path === undefined ? undefined : await probes.version([path, '--version']);
  const program = checkProgram(path, version);
  if (path === undefined || version === undefined) return [program];
  return [program, checkPolicy(await probes.version([path, '-w', '5', '-S', 'FORWARD']))];
}

function checkPolicy(policy: string | undefined): Finding {
  const title = 'Forwarded packets are let through';
  if (policy !== '-P FORWARD DROP') return fine('network.forward-policy', title, policy ?? 'not known');
  return found('network.forward-policy', title, {
    severity: 'info',
    seen: policy,
    wanted: '-P FORWARD ACCEPT',
    why: 'Containers on bridges of docker have rules of their own; pods on a CNI bridge are cut off',
    fix: 'iptables -P FORWARD ACCEPT; dockerd sets DROP only where it finds net.ipv4.ip_forward off at its start',
  });
}

/** nf_tables is off in OpenHarmony's kernels, so only the legacy kind works there (third_party_iptables). */
function checkProgram(path: string | undefined, version: string | undefined): Finding {
  const id = 'parts.iptables';
  const title = 'iptables is there and works';
  if (path === undefined) {
    return found(id, title, {
      severity: 'error',
      seen: 'no iptables in the search path of the units',
      wanted: 'iptables 1.6 or later, legacy',
      why: 'dockerd ends with "failed to create NAT chain DOCKER: iptables not found"',
      fix: "take the image's /system/bin/iptables (OpenHarmony 3.2 and later), or put a static one into dockerd.binDir",
    });
  }
  if (version === undefined) {
    return found(id, title, {
      severity: 'error',
      seen: `${path} does not run`,
      wanted: 'iptables 1.6 or later, legacy',
      why: 'dockerd ends with "failed to create NAT chain DOCKER"',
      fix: 'a 64-bit iptables needs 64-bit libraries: take a static build, or the one of the image',
    });
  }
  if (!version.includes('nf_tables')) return fine(id, title, `${path}: ${version}`);
  return found(id, title, {
    severity: 'info',
    seen: `${path}: ${version}`,
    wanted: 'the legacy kind, unless the kernel has nf_tables',
    why: 'On a kernel without NF_TABLES it fails with "Failed to initialize nft: Protocol not supported"',
    fix: 'put iptables-legacy into dockerd.binDir',
  });
}
