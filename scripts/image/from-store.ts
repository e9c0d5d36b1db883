import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { type InstalledPart, readLock } from '../parts/lock-file.ts';
import { verifyStore } from '../parts/verify-store.ts';
import type { Parts } from './check-parts.ts';

/** The parts of a store as the image wants them, and what the store says of each. */
export interface StoredParts {
  readonly parts: Parts;
  /** By name; only those that go into the image. */
  readonly installed: Readonly<Record<string, InstalledPart>>;
}

const imageParts = [
  'node',
  'node-glibc',
  'node-libraries',
  'busybox',
  'docker',
  'edgecore',
  'cni-plugins',
  'iptables',
  'pause',
];

/** Reads a verified store. Throws with everything that is missing or wrong at once. */
export async function partsFromStore(store: string): Promise<StoredParts> {
  const { installed } = await readLock(store);
  const missing = [
    ...(installed['node'] === undefined && installed['node-glibc'] === undefined ? ['node'] : []),
    ...['busybox', 'docker'].filter((name) => installed[name] === undefined),
  ];
  if (missing.length > 0) {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot make the image: ${missing.join(', ')} missing in "${store}"; run: npm run parts -- fetch ${missing.join(' ')} --into ${store}`,
    );
  }
  const { problems } = await verifyStore(store);
  if (problems.length > 0) {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot use the parts in "${store}": ${problems.join('; ')}; fetch them again`,
    );
  }
  // A static Node needs nothing beside it, so it wins where both are there.
  const unused = installed['node'] === undefined ? ['node'] : ['node-glibc', 'node-libraries'];
  const used = imageParts.filter((name) => !unused.includes(name) && installed[name] !== undefined);
  const kept = Object.fromEntries(
    used.flatMap((name) => (installed[name] === undefined ? [] : [[name, installed[name]]])),
  );
  return { parts: pick(store, kept), installed: kept };
}

function pick(store: string, installed: Readonly<Record<string, InstalledPart>>): Parts {
  const filesOf = (name: string): Record<string, string> =>
    Object.fromEntries(
      Object.keys(installed[name]?.files ?? {}).map((file) => [file, path.join(store, name, file)]),
    );
  const further = { kubeedge: filesOf('edgecore'), cni: filesOf('cni-plugins') };
  return {
    busybox: path.join(store, 'busybox', 'busybox'),
    node: path.join(store, installed['node'] === undefined ? 'node-glibc' : 'node', 'node'),
    nodeLibraries: filesOf('node-libraries'),
    docker: { ...filesOf('docker'), ...filesOf('iptables') },
    further: Object.fromEntries(Object.entries(further).filter(([, files]) => Object.keys(files).length > 0)),
  };
}
