import { messageOf } from '../core/agent-error.ts';
import type { Commands } from '../core/commands.ts';
import type { ElfFacts } from '../core/elf.ts';
import type { PartIntake } from '../core/part-intake.ts';
import type { Programs } from '../core/program.ts';
import { checkProgram } from '../core/program-check.ts';
import type { ProgramText } from '../core/program-text.ts';
import type { FileRule, PartKind } from './part-table.ts';

/** What a draft is looked at with. */
export interface VerifyPorts {
  readonly intake: PartIntake;
  readonly programs: Programs;
  readonly commands: Commands;
  readonly text: ProgramText;
}

/** What a draft is. */
export interface DraftFacts {
  /** Everything that forbids its use, as sentences. */
  readonly problems: readonly string[];
  /** Version that it prints or that is recorded in it. */
  readonly version: string | undefined;
  /** What was seen of each program, for people. */
  readonly notes: readonly string[];
}

/** Milliseconds for a program to print its version; a large one comes from slow flash. */
const printMs = 30_000;
const searchMs = 60_000;
const versionPattern = /\bv?(\d{1,4}\.\d{1,4}(?:\.\d{1,4})?[0-9A-Za-z.+~-]{0,40})/;

interface Draft {
  readonly kind: PartKind;
  readonly folder: string;
  readonly names: readonly string[];
}

/** Looks at every file of a draft: what it is, for which machine, how it is linked, and which version it says it is. */
export async function verifyDraft(draft: Draft, ports: VerifyPorts): Promise<DraftFacts> {
  const looked = await Promise.all(draft.names.map((name) => verifyFile(name, draft, ports)));
  const problems = looked.flatMap((one) => one.problems);
  const notes = looked.flatMap((one) => one.notes);
  if (problems.length > 0) return { problems, version: undefined, notes };
  const printed = await printVersions(draft, ports);
  const version = printed.version ?? (await recordedVersion(draft, ports));
  return { problems: printed.problems, version, notes: [...notes, ...printed.notes] };
}

interface Looked {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

const nothing: Looked = { problems: [], notes: [] };

type Check = (name: string, path: string, draft: Draft, ports: VerifyPorts) => Promise<Looked>;

const checks: { readonly [R in FileRule]: Check } = {
  program: verifyProgram,
  library: async (name, path, _draft, { intake, programs }) => {
    const elf = await intake.readElf(path);
    if ('problem' in elf) return problem(`"${name}" is no library: ${elf.problem}`);
    const wrong = checkProgram(name, await programs.inspect(path), programs.machine);
    return wrong === undefined ? nothing : problem(wrong.message);
  },
  script: async (name, path, { kind }, { intake, text }) => {
    const wrong = await intake.scriptProblem(path);
    if (wrong !== undefined) return problem(`"${name}" cannot be read by this Node: ${wrong}`);
    if (name !== kind.main || (await searchText(path, kind, text)) !== undefined) return nothing;
    return problem(`"${name}" does not begin with the mark of a bundle of this product; take ${kind.what}`);
  },
  text: async () => nothing,
};

function verifyFile(name: string, draft: Draft, ports: VerifyPorts): Promise<Looked> {
  return checks[draft.kind.ruleOf(name)](name, `${draft.folder}/${name}`, draft, ports);
}

async function verifyProgram(name: string, path: string, draft: Draft, ports: VerifyPorts): Promise<Looked> {
  const { intake, programs } = ports;
  const facts = await programs.inspect(path);
  // What is handed in has no good place yet, so the messages name the file by its own name.
  const wrong = checkProgram(name, facts, programs.machine);
  if (wrong !== undefined) return problem(wrong.message);
  if (facts.kind === 'file' && facts.elf === undefined) {
    return problem(`"${name}" is a script, want an ELF program; take ${draft.kind.what}`);
  }
  const elf = await intake.readElf(path);
  if ('problem' in elf) return problem(`"${name}" is no whole program: ${elf.problem}; take another copy`);
  if (elf.type === 'other')
    return problem(`"${name}" is no program that can be started; take ${draft.kind.what}`);
  if (!(await intake.mayRun(path))) {
    return problem(
      `"${name}" may not be started from ${draft.folder}; mount that file system without noexec`,
    );
  }
  const loader = await linkage(elf, draft, programs);
  if ('problem' in loader) return problem(`"${name}" ${loader.problem}`);
  return { problems: [], notes: [`${name}: ${elf.machine}, ${elf.bits} bits, ${loader.note}`] };
}

/** A dynamic program runs only where its loader is: brought along with its libraries, or there on the board. */
async function linkage(
  elf: ElfFacts,
  { names }: Draft,
  programs: Programs,
): Promise<{ readonly note: string } | { readonly problem: string }> {
  if (elf.isStatic) return { note: 'static' };
  const { interpreter } = elf;
  if (interpreter === null)
    return { problem: `wants ${elf.needed.join(', ')} and names no loader; take a static build` };
  const carried = new Set(
    names.filter((name) => name.startsWith('runtime/lib/')).map((name) => name.slice(12)),
  );
  if (carried.has(interpreter.slice(interpreter.lastIndexOf('/') + 1))) {
    const missing = elf.needed.filter((library) => !carried.has(library));
    if (missing.length === 0) return { note: 'brings its own loader' };
    return { problem: `wants ${missing.join(', ')}, which is not among the libraries that come with it` };
  }
  const loader = await programs.inspect(interpreter);
  if (loader.kind === 'file') return { note: `dynamic, loader ${interpreter} is there` };
  return {
    problem: `asks for the loader ${interpreter}, which neither the board has nor the file brings; take a static build`,
  };
}

async function printVersions(
  { kind, folder, names }: Draft,
  { commands }: VerifyPorts,
): Promise<Looked & { readonly version: string | undefined }> {
  const problems: string[] = [];
  const notes: string[] = [];
  let version: string | undefined;
  for (const name of kind.prints.filter((one) => names.includes(one))) {
    try {
      const { code, stdout, stderr } = await commands.run([`${folder}/${name}`, '--version'], {
        timeoutMs: printMs,
      });
      const found = versionPattern.exec(stdout)?.[1];
      const last = (stderr.trim() || stdout.trim()).split('\n').at(-1)?.slice(0, 200) ?? '';
      if (code !== 0) problems.push(`"${name} --version" ended with status ${code}: ${last}`);
      else if (found === undefined) problems.push(`"${name} --version" prints no version: ${last}`);
      else notes.push(`${name} ${found}`);
      if (name === kind.main) version = found;
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  return { problems, notes, version };
}

async function recordedVersion({ kind, folder }: Draft, { text }: VerifyPorts): Promise<string | undefined> {
  return searchText(`${folder}/${kind.main}`, kind, text);
}

async function searchText(
  path: string,
  { recorded }: PartKind,
  text: ProgramText,
): Promise<string | undefined> {
  if (recorded === undefined) return undefined;
  return text.find(path, recorded, AbortSignal.timeout(searchMs)).catch(() => undefined);
}

function problem(text: string): Looked {
  return { problems: [text], notes: [] };
}
