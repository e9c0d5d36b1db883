import type { Finding } from '../../api/wire.ts';
import { messageOf } from '../../core/agent-error.ts';
import type { Programs } from '../../core/program.ts';
import type { GroundSettings } from '../settings.ts';
import { fine, found } from './finding.ts';

const dockerParts = ['dockerd', 'containerd', 'containerd-shim-runc-v2', 'runc'] as const;
const machineNames: Readonly<Record<number, string>> = { 3: 'x86', 40: 'arm', 62: 'x86-64', 183: 'aarch64' };

/** Programs that must be there and run on this machine. */
export async function checkParts(programs: Programs, settings: GroundSettings): Promise<readonly Finding[]> {
  const paths = [
    `${settings.productDir}/bin/busybox`,
    ...dockerParts.map((name) => `${settings.binDir}/${name}`),
  ];
  return Promise.all(paths.map((path) => checkPart(programs, path)));
}

async function checkPart(programs: Programs, path: string): Promise<Finding> {
  const name = path.split('/').at(-1) ?? path;
  const id = `parts.${name}`;
  const title = `${name} is there and runs on this machine`;
  const wrong = (seen: string, fix: string): Finding =>
    found(id, title, {
      severity: 'error',
      seen,
      wanted: `a program for ${machineName(programs.machine)} at ${path}`,
      why:
        name === 'busybox'
          ? 'Nothing can be mounted and no route set'
          : 'dockerd does not start, or no container does',
      fix,
    });
  const facts = await programs.inspect(path).catch((error: unknown) => messageOf(error));
  if (typeof facts === 'string') return wrong(facts, 'check the disk that holds it');
  if (facts.kind === 'absent') return wrong('absent', `put it there, or set the path in the configuration`);
  if (facts.kind === 'not-a-file')
    return wrong('not a file', 'remove what is there and put the program in its place');
  if (!facts.isExecutable) return wrong('not executable', `chmod 0755 ${path}`);
  if (facts.elf !== undefined && facts.elf.machine !== programs.machine) {
    return wrong(
      `a program for ${machineName(facts.elf.machine)}`,
      `take the build of ${name} for ${machineName(programs.machine)}`,
    );
  }
  return fine(id, title, path);
}

function machineName(machine: number): string {
  return machineNames[machine] ?? `machine ${machine}`;
}
