import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { AgentError, messageOf } from '../../agent/core/agent-error.ts';
import { type ElfFacts, readElf } from '../../agent/core/elf.ts';

/** Programs that come from elsewhere and go into the product's folder. */
export interface Parts {
  /** Static busybox. */
  readonly busybox: string;
  readonly node: string;
  /** Files of the loader and libraries that a dynamic Node brings along, by their name; empty for a static Node. */
  readonly nodeLibraries: Readonly<Record<string, string>>;
  /** Files of the docker folder by their name. */
  readonly docker: Readonly<Record<string, string>>;
  /** Further folders of the product by name (kubeedge, cni), each with its programs; all static. */
  readonly further?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The board that the parts must run on. */
export interface BoardRules {
  readonly machine: string;
  /** Loaders that the board's own system has, by absolute path: programs of `docker` may ask for these. */
  readonly loaders: readonly string[];
}

/** Reports everything that would keep the parts from starting on the board; empty when they fit. */
export async function checkParts(parts: Parts, rules: BoardRules): Promise<string[]> {
  const problems: string[] = [];
  const busybox = await facts(parts.busybox, rules, problems);
  if (busybox?.isStatic === false)
    problems.push(`busybox is dynamic (asks for ${busybox.interpreter}), want a static one`);
  await checkNode(parts, rules, problems);
  for (const [name, file] of Object.entries(parts.docker)) {
    const program = await facts(file, rules, problems, name);
    const loader = program?.interpreter ?? null;
    if (loader !== null && !rules.loaders.includes(loader)) {
      problems.push(
        `${name} asks for the loader ${loader}, which the board does not have; take a static build`,
      );
    }
  }
  for (const [name, file] of Object.values(parts.further ?? {}).flatMap((files) => Object.entries(files))) {
    const program = await facts(file, rules, problems, name);
    if (program?.isStatic === false)
      problems.push(`${name} is dynamic (asks for ${program.interpreter}), want a static one`);
  }
  return problems;
}

/** A dynamic Node must carry its loader and every library that it or its libraries need. */
async function checkNode(parts: Parts, rules: BoardRules, problems: string[]): Promise<void> {
  const node = await facts(parts.node, rules, problems, 'node');
  if (node === undefined || node.isStatic) return;
  const carried = parts.nodeLibraries;
  const loader = path.basename(node.interpreter ?? '');
  if (carried[loader] === undefined)
    problems.push(`node asks for ${node.interpreter}, and runtime/lib has no ${loader}`);
  const queue = [...node.needed];
  const seen = new Set<string>();
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const file = carried[name];
    if (file === undefined) problems.push(`node needs ${name}, and runtime/lib does not have it`);
    else queue.push(...((await facts(file, rules, problems, name))?.needed ?? []));
  }
}

async function facts(
  file: string,
  rules: BoardRules,
  problems: string[],
  name = path.basename(file),
): Promise<ElfFacts | undefined> {
  try {
    const elf = readElf(await readFile(file));
    if (elf.machine !== rules.machine) problems.push(`${name} is for ${elf.machine}, want ${rules.machine}`);
    if (elf.hasTextRelocations) problems.push(`${name} has text relocations`);
    return elf;
  } catch (error) {
    problems.push(`${name} (${file}): ${messageOf(error)}`);
    return undefined;
  }
}

/** Throws with every problem of the parts at once. */
export async function requireFittingParts(parts: Parts, rules: BoardRules): Promise<void> {
  const problems = await checkParts(parts, rules);
  if (problems.length === 0) return;
  throw new AgentError('FILE_FAILED', `Cannot use these parts on the board: ${problems.join('; ')}`);
}

/**
 * The loader and libraries that a dynamic program needs, found by name in library folders. What is missing is left out
 * here and reported by checkParts, or by the caller.
 */
export async function findLibraries(program: string, folders: readonly string[]): Promise<FoundLibraries> {
  const listings = await Promise.all(
    folders.map(async (folder) => readdir(folder).catch((): string[] => [])),
  );
  const find = (name: string): string | undefined => {
    const at = listings.findIndex((names) => names.includes(name));
    return at === -1 ? undefined : path.join(folders[at] ?? '', name);
  };
  const files: Record<string, string> = {};
  const missing = new Set<string>();
  const top = readElf(await readFile(program));
  const queue = [...(top.interpreter === null ? [] : [path.basename(top.interpreter)]), ...top.needed];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const file = find(name);
    if (file === undefined) missing.add(name);
    if (file === undefined || files[name] !== undefined) continue;
    files[name] = file;
    queue.push(...readElf(await readFile(file)).needed);
  }
  return { files, missing: [...missing] };
}

/** Libraries by name and where they were found, and those that were not. */
export interface FoundLibraries {
  readonly files: Readonly<Record<string, string>>;
  readonly missing: readonly string[];
}
