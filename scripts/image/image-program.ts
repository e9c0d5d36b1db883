import path from 'node:path';
import { type Command, Option } from 'commander';
import { AgentError, errnoOf, messageOf } from '../../agent/core/agent-error.ts';
import { makeDirectories } from '../../agent/host/make-directories.ts';
import { parseReleases, type Release } from '../cfg/release.ts';
import { usualStore } from '../parts/parts-program.ts';
import { type Finish, newProgram } from '../terminal/program.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { Secon } from './component-selinux.ts';
import { composeProduct, type Product, productFor } from './product.ts';
import { componentTree } from './write-component.ts';
import { writeExt4 } from './write-ext4.ts';
import { requireEmpty, writeFolder } from './write-folder.ts';
import { writeTar } from './write-tar.ts';

const examples = `
The same input gives the same bytes; times are 0, or SOURCE_DATE_EPOCH.

Examples:
  npm run image -- tar build/oh-edge-agent.tar.gz --root stock
  npm run image -- component build/oh_edge_agent
  npm run image -- ext4 build/system-with-agent.img --base out/rk3568/packages/phone/images/system.img --root image
  npm run image -- dir build/product

Exit code: 0 done, 1 parts or bundles are missing or unfit, 2 wrong usage.`;

interface CommonOptions {
  readonly parts: string;
  readonly dist: string;
  readonly root: 'image' | 'stock';
  readonly release?: string;
  readonly json?: true;
}

/** What the program needs from its surroundings. */
export interface ImageContext {
  readonly terminal: Terminal;
  readonly repository: string;
  /** Text of SOURCE_DATE_EPOCH, if set. */
  readonly sourceDate: string | undefined;
  readonly isRoot: boolean;
}

/** Seconds since 1970 out of SOURCE_DATE_EPOCH; null where it is not set. */
function parseEpoch(value: string | undefined): number | null {
  if (value === undefined || value === '') return null;
  if (/^\d{1,11}$/.test(value)) return Number(value);
  throw new AgentError('USAGE', `Cannot use SOURCE_DATE_EPOCH "${value}": want whole seconds since 1970`);
}

async function compose(options: CommonOptions, { repository, sourceDate }: ImageContext): Promise<Product> {
  const { parts: store, dist, root } = options;
  const release = releaseOf(options);
  const product = await composeProduct({ repository, dist, store, root, epoch: parseEpoch(sourceDate) });
  return release === undefined ? product : productFor(product, release);
}

/** The release that was asked for; one name may mean several, and all of them take the same cfg. */
function releaseOf({ release }: Pick<CommonOptions, 'release'>): Release | undefined {
  return release === undefined ? undefined : parseReleases([release]).at(-1);
}

function rootOption(): Option {
  return new Option('--root <kind>', 'kind of root on the board')
    .choices(['image', 'stock'])
    .default('stock');
}

/** Missing or unfit parts answer "no": exit code 1 with the reason, so that 2 stays for wrong usage. */
async function answer(context: ImageContext, work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    context.terminal.err(`${context.terminal.style.red('error:')} ${problem}`);
    return 1;
  }
}

/** What a person can mend; undefined for a bug and for wrong usage. */
function problemOf(error: unknown): string | undefined {
  if (error instanceof AgentError)
    return error.code === 'INPUT_INVALID' || error.code === 'FILE_FAILED' ? error.message : undefined;
  if (errnoOf(error) === undefined) return undefined;
  return `Cannot write the product: ${messageOf(error)}; name another target`;
}

function say(
  form: string,
  target: string,
  product: Product,
  { terminal, json }: { terminal: Terminal; json: boolean },
): void {
  const count = product.entries.length;
  if (json) terminal.out(JSON.stringify({ form, target, version: product.version, entries: count }));
  else terminal.out(`${target}: ${form} of oh-edge-agent ${product.version}, ${count} paths`);
}

function common(program: Command, name: string, target: string): Command {
  return program
    .command(name)
    .argument(`<${target}>`, `new ${target} to write`)
    .option('--parts <dir>', 'store of the parts', usualStore)
    .option('--dist <dir>', 'folder with the bundles', 'dist')
    .option(
      '--release <name>',
      'release of OpenHarmony, for its cfg; 3.1 needs one of its own (default: all since 3.2)',
    )
    .option('--json', 'print the outcome for programs');
}

function addDir(program: Command, context: ImageContext, finish: Finish): void {
  common(program, 'dir', 'folder')
    .addOption(rootOption())
    .summary('write the product as a folder')
    .description(
      'Writes what goes onto a running board below a folder, path for path, with modes; with owners as root.',
    )
    .action(async (folder: string, options: CommonOptions) => {
      const run = async (): Promise<void> => {
        const product = await compose(options, context);
        await requireEmpty(folder);
        const look = { epoch: parseEpoch(context.sourceDate) ?? 0, hasOwners: context.isRoot };
        await writeFolder(product.entries, folder, look);
        if (!context.isRoot)
          context.terminal.err('note: owners are not set without root; the archive has them');
        say('folder', folder, product, { terminal: context.terminal, json: options.json === true });
      };
      finish(await answer(context, run));
    });
}

function addTar(program: Command, context: ImageContext, finish: Finish): void {
  common(program, 'tar', 'archive')
    .addOption(rootOption())
    .summary('write the product as an archive')
    .description('Writes what goes onto a running board as .tar or .tar.gz, to be unpacked at / as root.')
    .action(async (archive: string, options: CommonOptions) => {
      const run = async (): Promise<void> => {
        const product = await compose(options, context);
        makeDirectories(path.dirname(path.resolve(archive)));
        await writeTar(product.entries, archive, parseEpoch(context.sourceDate) ?? 0);
        say('archive', archive, product, { terminal: context.terminal, json: options.json === true });
      };
      finish(await answer(context, run));
    });
}

function addExt4(program: Command, context: ImageContext, finish: Finish): void {
  common(program, 'ext4', 'image')
    .addOption(rootOption())
    .option('--base <file>', 'system image to add the product to; it stays as it is')
    .summary('write the product as an ext4 image, or into a system image')
    .description(
      'Writes the product as an ext4 file system, or a copy of a built system.img with the product in it, for boards whose tree is not at hand. The files get no SELinux label: an enforcing image needs the part.',
    )
    .action(async (image: string, options: CommonOptions & { base?: string }) => {
      const run = async (): Promise<void> => {
        const product = await compose(options, context);
        makeDirectories(path.dirname(path.resolve(image)));
        const epoch = parseEpoch(context.sourceDate) ?? 0;
        await writeExt4(product.entries, image, { epoch, base: options.base });
        say('ext4 image', image, product, { terminal: context.terminal, json: options.json === true });
      };
      finish(await answer(context, run));
    });
}

function addComponent(program: Command, context: ImageContext, finish: Finish): void {
  common(program, 'component', 'folder')
    .summary('write an OpenHarmony part')
    .description(
      'Writes the product as a part of an OpenHarmony tree; INSTALL.md in it names the lines a product adds.',
    )
    .addOption(
      new Option(
        '--secon <kind>',
        "context of the service: su for development images, or the part's own domain",
      )
        .choices(['su', 'own'])
        .default('su'),
    )
    .action(async (folder: string, options: Omit<CommonOptions, 'root'> & { secon: Secon }) => {
      const run = async (): Promise<void> => {
        const product = await compose({ ...options, root: 'image' }, context);
        const tree = await componentTree(product, { secon: options.secon, release: releaseOf(options) });
        await requireEmpty(folder);
        await writeFolder(tree, folder, {
          epoch: parseEpoch(context.sourceDate) ?? 0,
          hasOwners: context.isRoot,
        });
        say('part', folder, product, { terminal: context.terminal, json: options.json === true });
      };
      finish(await answer(context, run));
    });
}

/** `npm run image`: the product in the forms in which it gets onto boards. */
export function imageProgram(context: ImageContext, finish: Finish): Command {
  const program = newProgram(
    'image',
    'Writes the product for a running board (dir, tar), into a system image (ext4) or for the build of OpenHarmony (component).',
    context.terminal,
  ).addHelpText('after', examples);
  addDir(program, context, finish);
  addTar(program, context, finish);
  addExt4(program, context, finish);
  addComponent(program, context, finish);
  return program;
}
