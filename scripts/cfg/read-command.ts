import { adviseCommand } from './command-advice.ts';
import { type Command, commandsOf, firstReleaseOf, isPluginCommand } from './command-table.ts';
import type { Place, Report } from './findings.ts';
import { isSince, type Release } from './release.ts';

/** What init makes of one command line. */
export interface CommandOutcome {
  readonly name: string;
  /** The words that the command gets; for a plugin's command the whole rest as one. */
  readonly words: readonly string[];
  /** `runs`; `refused` when it runs, with a log line; `nothing` without a word; `plugin` is a plugin's affair. */
  readonly does: 'runs' | 'refused' | 'nothing' | 'plugin';
}

/** Longest name of a plugin's command: MAX_CMD_NAME_LEN in include/init_cmds.h. */
const nameLimit = 31;

const isSpace = /[\t\n\v\f\r ]/;

/** The words that init takes of a line, and where in it the last one ends. */
interface Split {
  readonly words: readonly string[];
  readonly end: number;
}

/** Splits as init's GetCmdArg does: at single spaces, leading white space of a word skipped, at most `max` words. */
function split(content: string, max: number, release: Release): Split {
  const words: string[] = [];
  let at = 0;
  while (words.length < max) {
    while (at < content.length && isSpace.test(content[at] ?? '')) at++;
    // Up to 3.2 an empty rest still counts as a word.
    if (at === content.length && isSince(release, '4.0')) break;
    const space = content.indexOf(' ', at);
    const end = space === -1 ? content.length : space;
    words.push(content.slice(at, end));
    at = end;
    if (space === -1) break;
  }
  return { words, end: at };
}

/** The words that init takes of what stands behind a command. */
export function splitWords(content: string, max: number, release: Release): readonly string[] {
  return split(content, max, release).words;
}

/** Reports whether init can expand every `$` of the words that it takes: it looks for `{` and `}` anywhere behind it. */
function canExpand(content: string, end: number): boolean {
  for (let at = content.indexOf('$'); at !== -1 && at < end; at = content.indexOf('$', at + 1)) {
    const open = content.indexOf('{', at);
    if (open === -1 || content.indexOf('}', open) === -1) return false;
  }
  return true;
}

function countWords(content: string): number {
  return content.split(' ').filter((word) => word.trim() !== '').length;
}

/** The command that init finds at the beginning of a line, by the order and the spelling of its tables. */
function matchCommand(line: string, commands: ReadonlyMap<string, Command>): Command | undefined {
  for (const command of commands.values()) {
    if (line.startsWith(command.needsSpace ? `${command.name} ` : command.name)) return command;
  }
  return undefined;
}

interface Reading {
  readonly release: Release;
  readonly place: Place;
  readonly report: Report;
}

/** A line that no command of init's tables begins: a plugin's command, or nothing at all. */
function readUnknown(line: string, { release, place, report }: Reading): CommandOutcome | undefined {
  const [name = ''] = line.split(' ');
  const words = [line.slice(name.length).trim()].filter((word) => word !== '');
  if (name.length > nameLimit) {
    report('cmd-long-name', place, `the command "${name}" has ${name.length} characters`);
    return undefined;
  }
  const first = firstReleaseOf(name);
  const isOwn = commandsOf(release).has(name);
  const isPlugin = isPluginCommand(name, release);
  const other = isPlugin ? ', which makes it the command of a plugin' : '';
  if (isOwn) report('cmd-space', place, `"${line}" has no space behind "${name}"${other}: want "${name} "`);
  else if (isPlugin) return { name, words, does: 'plugin' };
  else if (first !== undefined) report('cmd-early', place, `"${name}" begins with ${first}`);
  else report('cmd-unknown', place, `no command is called "${name}"`);
  return { name, words, does: isPlugin ? 'plugin' : 'nothing' };
}

function checkCount(command: Command, content: string, words: readonly string[], reading: Reading): boolean {
  const { place, report, release } = reading;
  const written = countWords(content);
  if (written > command.max) {
    const lost = content
      .split(' ')
      .filter((word) => word.trim() !== '')
      .slice(command.max);
    report('cmd-many', place, `"${command.name}" takes ${command.max} words, lost: ${lost.join(' ')}`);
  }
  if (written < command.min && !(isSince('3.2', release) && command.min === 1 && isWordless(command.name))) {
    report('cmd-few', place, `"${command.name}" wants ${command.min} words, there are ${written}`);
  }
  if (content.endsWith(' ') && written > 0 && words.length > written) {
    report('cmd-tail', place, `"${command.name}" gets an empty word at its end`);
  }
  return words.length >= command.min;
}

/** Commands whose minimum of 1 up to 3.2 only counts the empty word that an empty line gives. */
function isWordless(name: string): boolean {
  return name === 'load_persist_params' || name === 'load_access_token_id';
}

/**
 * Reads one command line of a job as a release of init does and reports what it would do without a word. Undefined for
 * a comment or a line that init skips.
 */
export function readCommand(text: string, reading: Reading): CommandOutcome | undefined {
  const line = text.trimStart();
  if (line === '' || line.startsWith('#')) return undefined;
  const command = matchCommand(line, commandsOf(reading.release));
  if (command === undefined) return readUnknown(line, reading);
  const content = line.slice(command.name.length).trimStart();
  const { words, end } = split(content, command.max, reading.release);
  const isEnough = checkCount(command, content, words, reading);
  const isWhole = canExpand(content, end);
  if (!isWhole) reading.report('cmd-dollar', reading.place, `"${content}"`);
  const isAccepted = adviseCommand(command.name, content, words, reading);
  return { name: command.name, words, does: isEnough && isWhole && isAccepted ? 'runs' : 'refused' };
}
