import { type Command, InvalidArgumentError } from 'commander';
import { AgentError } from '../../agent/core/agent-error.ts';
import { type Finish, newProgram } from '../terminal/program.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { addPart } from './add-part.ts';
import { type DownloadPolicy, proxyDispatcher, usualPolicy } from './download.ts';
import { fetchAll } from './fetch-all.ts';
import { findParts, manifest, partSets } from './manifest.ts';
import { type Part, partId } from './part.ts';
import { type DownloadProgress, megabytes } from './progress.ts';
import { PartStore } from './store.ts';
import { verifyStore } from './verify-store.ts';

/** Folder of the parts where no other is named. */
export const usualStore = '.cache/parts';

const examples = `
Proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY. A download that stopped goes on where it stopped.

Examples:
  npm run parts -- fetch set:docker
  npm run parts -- fetch docker@20.10.24 cni-plugins --mirror https://mirror.example/parts
  npm run parts -- fetch set:docker --offline /media/usb/parts
  npm run parts -- add edgecore ./edgecore
  npm run parts -- verify

Exit code: 0 done or yes, 1 a part failed or is unfit, 2 wrong usage.`;

/** What the program needs besides a terminal; tests put their own manifest and patience in. */
export interface PartsContext {
  readonly terminal: Terminal;
  readonly progress: DownloadProgress;
  readonly manifest?: readonly Part[];
  readonly policy?: DownloadPolicy;
}

function addList(program: Command, { terminal, manifest: parts = manifest }: PartsContext): void {
  program
    .command('list')
    .summary('list known parts and which go together')
    .description(
      'Lists every part with its versions, licence and what vouches for it, and the sets that go together.',
    )
    .option('--json', 'print them for programs')
    .action((options: { json?: true }) => {
      if (options.json === true) terminal.out(JSON.stringify({ parts, sets: partSets }, null, 2));
      else printList(parts, terminal);
    });
}

function printList(parts: readonly Part[], { out, style }: Terminal): void {
  for (const part of parts) {
    out(`${style.bold(partId(part))}  ${part.licence}  ${trustOf(part)}`);
    out(`    ${part.about}`);
    out(`    ${style.dim(part.source.kind === 'download' ? part.source.url : part.source.how)}`);
  }
  for (const set of partSets) {
    out(`${style.bold(`set:${set.name}`)}  ${set.parts.join(' ')}`);
    out(`    ${set.about}`);
  }
}

const trustTexts = {
  pinned: 'sum in the manifest',
  published: 'sum published by its maker',
  'first-use': 'no published sum: recorded at first use',
} as const;

function trustOf({ source }: Part): string {
  return source.kind === 'download' ? trustTexts[source.checksum.kind] : 'handed in';
}

interface FetchOptions {
  readonly into: string;
  readonly jobs: number;
  readonly offline?: string;
  readonly mirror?: string;
  readonly json?: true;
}

async function fetchParts(
  wanted: readonly string[],
  options: FetchOptions,
  context: PartsContext,
): Promise<number> {
  const { terminal, progress, policy = usualPolicy } = context;
  const parts = findParts(wanted, context.manifest);
  if (options.mirror !== undefined && !URL.canParse(options.mirror)) {
    throw new AgentError(
      'USAGE',
      `Cannot use the mirror "${options.mirror}": want an address such as https://mirror.example/parts`,
    );
  }
  const handedIn = parts.find(({ source }) => source.kind === 'handed-in');
  if (handedIn?.source.kind === 'handed-in') {
    throw new AgentError(
      'USAGE',
      `Cannot fetch ${handedIn.name}: nobody offers a file that fits; ${handedIn.source.how}`,
    );
  }
  const store = await PartStore.open(options.into);
  const dispatcher = proxyDispatcher();
  try {
    const places = { offline: options.offline, mirror: options.mirror };
    const result = await fetchAll(parts, options.jobs, store, {
      places,
      tools: { policy, progress, dispatcher },
    });
    if (options.json === true) terminal.out(JSON.stringify(result, null, 2));
    else {
      for (const one of result.done) {
        terminal.out(
          `${one.part}: ${one.isNew ? 'installed' : 'already there'}, ${megabytes(one.size)}, sha256 ${one.sha256}`,
        );
      }
    }
    for (const { part } of result.done.filter(({ vouchedBy }) => vouchedBy === 'first-use')) {
      terminal.err(
        `${terminal.style.yellow('note:')} ${part}: its maker publishes no sum; what came now is recorded and wanted from now on`,
      );
    }
    for (const { problem } of result.failed) terminal.err(`${terminal.style.red('error:')} ${problem}`);
    return result.failed.length > 0 ? 1 : 0;
  } finally {
    await dispatcher.destroy();
  }
}

function parseJobs(value: string): number {
  const jobs = Number(value);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= 16) return jobs;
  throw new InvalidArgumentError('want a whole number from 1 to 16.');
}

function addFetch(program: Command, context: PartsContext, finish: Finish): void {
  program
    .command('fetch')
    .summary('fetch, check and unpack parts')
    .description('Fetches parts by name, name@version or set:NAME; without a version the newest known one.')
    .argument('<part...>', 'parts or sets')
    .option('--into <dir>', 'store of the parts', usualStore)
    .option('--jobs <n>', 'downloads at a time', parseJobs, 3)
    .option('--offline <dir>', 'take files from this folder, ask nothing of the network')
    .option('--mirror <url>', 'take files by their names from below this address')
    .option('--json', 'print the outcome for programs')
    .action(async (wanted: string[], options: FetchOptions) =>
      finish(await fetchParts(wanted, options, context)),
    );
}

function addVerify(program: Command, { terminal }: PartsContext, finish: Finish): void {
  program
    .command('verify')
    .summary('check a store of parts')
    .description(
      'Compares every file with the lock file, checks every program, and whether the parts go together.',
    )
    .argument('[dir]', 'store of the parts', usualStore)
    .option('--json', 'print the report for programs')
    .action(async (folder: string, options: { json?: true }) => {
      const report = await verifyStore(folder);
      if (options.json === true) terminal.out(JSON.stringify(report, null, 2));
      else {
        for (const { name, version } of report.parts) terminal.out(`${name}@${version}`);
        for (const problem of report.problems) terminal.out(`${terminal.style.red('problem:')} ${problem}`);
        for (const flag of report.flags) terminal.out(`${terminal.style.yellow('note:')} ${flag}`);
        terminal.out(report.problems.length === 0 ? 'yes: every part is as recorded' : 'no: see above');
      }
      finish(report.problems.length === 0 ? 0 : 1);
    });
}

interface AddOptions {
  readonly into: string;
  readonly version?: string;
  readonly json?: true;
}

function addAdd(program: Command, { terminal }: PartsContext, finish: Finish): void {
  program
    .command('add')
    .summary('take a part from files of your own')
    .description('Checks files like a download and puts them into the store; they are never started.')
    .argument('<name>', 'name of the part')
    .argument('<path...>', 'its files; for node-libraries the folders to look in')
    .option('--into <dir>', 'store of the parts', usualStore)
    .option('--version <version>', 'its version, where the file does not tell')
    .option('--json', 'print the outcome for programs')
    .action(async (name: string, paths: string[], options: AddOptions) => {
      const store = await PartStore.open(options.into);
      const outcome = await addPart({ name, paths, version: options.version }, store).catch(
        (error: unknown) => {
          if (!(error instanceof AgentError) || error.code === 'USAGE') throw error;
          terminal.err(`${terminal.style.red('error:')} ${error.message}`);
          return undefined;
        },
      );
      if (outcome === undefined) return finish(1);
      if (options.json === true) terminal.out(JSON.stringify(outcome, null, 2));
      else terminal.out([`${outcome.part}: ${outcome.files.join(', ')}`, ...outcome.notes].join('; '));
      finish(0);
    });
}

/** `npm run parts`: what the image needs from elsewhere, fetched and checked. */
export function partsProgram(context: PartsContext, finish: Finish): Command {
  const program = newProgram(
    'parts',
    'Fetches and checks what the image needs from elsewhere: Node, docker, edgecore, busybox, CNI plugins.',
    context.terminal,
  ).addHelpText('after', examples);
  addList(program, context);
  addFetch(program, context, finish);
  addVerify(program, context, finish);
  addAdd(program, context, finish);
  return program;
}
