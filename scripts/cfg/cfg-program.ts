import type { Command } from 'commander';
import { type Finish, newProgram } from '../terminal/program.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { cfgForRelease } from './cfg-for-release.ts';
import { checkCfg, loadCfg, loadProcessList, outcomeOf } from './check-cfg.ts';
import type { Finding } from './findings.ts';
import { countOf, printFindings } from './findings-text.ts';
import { parseReleases, rangesOf, releases } from './release.ts';
import { rules } from './rule-table.ts';

const examples = `
Releases: ${releases.join(', ')}; 5.0 means all 5.0.x. Without --release all are checked, and each finding names its own.

Examples:
  npm run cfg -- check sysroot-overlay/system/etc/init/oh_edge_agent.cfg --release 5.0 --release 6.0
  npm run cfg -- check *.cfg --process-list vendor/hihope/rk3568/security_config/high_privilege_process_list.json
  npm run cfg -- show my.cfg --release 6.0
  npm run cfg -- adapt sysroot-overlay/system/etc/init/oh_edge_agent.cfg --release 3.1

Exit code: 0 no error (with --strict: no warning either), 1 at least one, 2 wrong usage or an unreadable file.`;

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

interface CheckOptions {
  readonly release?: readonly string[];
  readonly processList?: string;
  readonly strict?: true;
  readonly json?: true;
}

async function check(paths: readonly string[], options: CheckOptions, terminal: Terminal): Promise<number> {
  const wanted = parseReleases(options.release);
  const list = options.processList === undefined ? undefined : await loadProcessList(options.processList);
  const results: { file: string; findings: readonly Finding[] }[] = [];
  for (const file of paths) results.push({ file, findings: checkCfg(await loadCfg(file, list), wanted) });
  if (options.json === true) terminal.out(JSON.stringify({ releases: wanted, files: results }, null, 2));
  else for (const { file, findings } of results) printFindings(file, findings, terminal);
  const all = results.flatMap(({ findings }) => findings);
  const bad = countOf(all, 'error') + (options.strict === true ? countOf(all, 'warning') : 0);
  return bad > 0 ? 1 : 0;
}

function addCheck(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('check')
    .summary('check init cfg files')
    .description(
      "Says what OpenHarmony's init and build do with a cfg without a word: what they ignore, drop, refuse or do unasked.",
    )
    .argument('<file...>', 'cfg files')
    .option('--release <name>', 'release to check for, repeatable (default: all)', collect)
    .option('--process-list <file>', "the product's high_privilege_process_list.json")
    .option('--strict', 'count warnings as errors')
    .option('--json', 'print the findings for programs')
    .action(async (paths: string[], options: CheckOptions) => finish(await check(paths, options, terminal)));
}

function addShow(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('show')
    .summary('show what one release of init makes of a cfg')
    .description('Prints services, jobs and the words of every command as init splits them, as JSON.')
    .argument('<file>', 'cfg file')
    .requiredOption('--release <name>', 'release')
    .action(async (file: string, options: { release: string }) => {
      const wanted = parseReleases([options.release]);
      const release = wanted[wanted.length - 1];
      if (release !== undefined)
        terminal.out(JSON.stringify(outcomeOf(await loadCfg(file), release), null, 2));
      finish(0);
    });
}

function addAdapt(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('adapt')
    .summary('print a cfg as one release needs it')
    .description(
      'Leaves out keys that make 3.1 refuse a service, and waits for a file where init has no syncexec.',
    )
    .argument('<file>', 'cfg file')
    .requiredOption('--release <name>', 'release')
    .action(async (file: string, options: { release: string }) => {
      const [release] = parseReleases([options.release]);
      if (release !== undefined) terminal.out(cfgForRelease((await loadCfg(file)).text, release).trimEnd());
      finish(0);
    });
}

function addRules(program: Command, terminal: Terminal): void {
  program
    .command('rules')
    .summary('list the rules')
    .description('Lists every rule with its severity, releases, consequence, fix and source.')
    .option('--json', 'print the rules for programs')
    .action((options: { json?: true }) => {
      if (options.json === true) {
        terminal.out(JSON.stringify(rules, null, 2));
        return;
      }
      for (const { id, severity, releases: met, why } of rules) {
        terminal.out(`${terminal.style.bold(id)} ${severity} (${rangesOf(met)}): ${why}`);
      }
    });
}

/** `npm run cfg`: what OpenHarmony's init will not say about a cfg. */
export function cfgProgram(terminal: Terminal, finish: Finish): Command {
  const program = newProgram(
    'cfg',
    "Checks init cfg files against the parser of OpenHarmony's init, 3.1 to 7.0, and the checks of its build.",
    terminal,
  ).addHelpText('after', examples);
  addCheck(program, terminal, finish);
  addShow(program, terminal, finish);
  addAdapt(program, terminal, finish);
  addRules(program, terminal);
  return program;
}
