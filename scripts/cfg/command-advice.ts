import type { Place, Report } from './findings.ts';
import type { Release } from './release.ts';

interface Reading {
  readonly release: Release;
  readonly place: Place;
  readonly report: Report;
}

/** Flags of `mount`, compared by their beginning: GetMountFlag in services/init/init_common_cmds.c. */
const mountFlags: readonly string[] = [
  'noatime',
  'noexec',
  'nosuid',
  'nodev',
  'nodiratime',
  'ro',
  'rdonly',
  'rw',
  'sync',
  'remount',
  'bind',
  'rec',
  'unbindable',
  'private',
  'slave',
  'shared',
  'defaults',
  'wait',
];

const limits: readonly string[] =
  'CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME'
    .split(' ')
    .map((name) => `RLIMIT_${name}`);

/** Longest parameter name and value, and value of a `const.` parameter: services/param/include. */
const nameRoom = 95;
const valueRoom = 95;
const constRoom = 4095;

type Advice = (words: readonly string[], reading: Reading) => void;

function isOctal(word: string | undefined): boolean {
  return word !== undefined && /^[0-7]+$/.test(word);
}

function adviseMkdir(words: readonly string[], { report, place }: Reading): void {
  if (words.length === 3) report('cmd-mkdir', place, `"mkdir" has 3 words`);
  if (words.length > 1 && !isOctal(words[1])) report('cmd-mode', place, `"${words[1]}" is no octal mode`);
}

function adviseChmod([mode = '', path = '']: readonly string[], { report, place }: Reading): void {
  if (isOctal(mode)) return;
  const isSwapped = isOctal(path);
  report(isSwapped ? 'cmd-order' : 'cmd-mode', place, `"chmod ${mode} ${path}"`);
}

function adviseChown(
  [owner = '', group = '', path = '']: readonly string[],
  { report, place }: Reading,
): void {
  if (owner.startsWith('/') || (path !== '' && !path.startsWith('/') && !path.startsWith('$'))) {
    report('cmd-order', place, `"chown ${owner} ${group} ${path}"`);
  } else if (owner.includes(':')) report('cmd-order', place, `"${owner}" joins owner and group`);
}

function adviseMount(words: readonly string[], { report, place }: Reading): void {
  if (words.length < 3) {
    report('cmd-few', place, `"mount" wants type, source and target, there are ${words.length}`);
    return;
  }
  let index = 3;
  for (; index < words.length; index++) {
    const word = words[index] ?? '';
    const flag = mountFlags.find((known) => word.startsWith(known));
    if (flag === undefined) break;
    if (flag !== word) report('cmd-mount-flag', place, `"${word}" counts as "${flag}"`);
  }
  const data = words.slice(index).join(' ');
  if (data.length > 127) report('cmd-mount-data', place, `the data has ${data.length} characters`);
}

function adviseProgram(words: readonly string[], { report, place }: Reading): void {
  const [program = ''] = words;
  if (!program.startsWith('/') && !program.startsWith('$')) {
    report('cmd-relative', place, `"${program}" is no absolute path`);
  }
  const shell = words.slice(1).filter((word) => /[|&;<>`]|^\$\(/.test(word));
  const isShell = /\/(?:sh|bash|mksh)$/.test(program) && words[1] === '-c' && words.length > 3;
  if (isShell) report('cmd-shell', place, `the shell's -c gets one word, "${words[2] ?? ''}"`);
  else if (shell.length > 0)
    report('cmd-shell', place, `"${shell.join(' ')}" means something to a shell only`);
}

function adviseWait(name: 'sleep' | 'wait', seconds: string | undefined, { report, place }: Reading): void {
  if (seconds === undefined || seconds === '') return;
  if (!/^\d+$/.test(seconds)) report('cmd-wait', place, `"${name} ${seconds}" waits 0 seconds`);
  else if (Number(seconds) > 5) report('cmd-wait', place, `"${name}" is asked for ${seconds} seconds`);
}

function adviseLimit(
  [resource = '', soft = '', hard = '']: readonly string[],
  { report, place }: Reading,
): void {
  if (!limits.includes(resource)) report('cmd-limit', place, `no resource is called "${resource}"`);
  for (const value of [soft, hard]) {
    if (!/^\d+$/.test(value) && value !== 'unlimited') report('cmd-limit', place, `"${value}" is no number`);
  }
}

function adviseSetparam([name = '', value = '']: readonly string[], { report, place }: Reading): void {
  const room = name.startsWith('const.') ? constRoom : valueRoom;
  if (name.length > nameRoom) report('cmd-param-long', place, `the name has ${name.length} characters`);
  if (value.length > room && !value.includes('$')) {
    report('cmd-param-long', place, `the value of "${name}" has ${value.length} characters`);
  }
}

function adviseWrite([path = '']: readonly string[], { report, place }: Reading): void {
  if (!/^(?:\/proc\/|\/sys\/|\/dev\/|\/config\/|\$)/.test(path))
    report('cmd-write-tail', place, `"${path}" is an ordinary file`);
}

const advices: Readonly<Record<string, Advice>> = {
  mkdir: adviseMkdir,
  chmod: adviseChmod,
  chown: adviseChown,
  mount: adviseMount,
  exec: adviseProgram,
  syncexec: (words, reading) => {
    adviseProgram(words, reading);
    reading.report(
      'cmd-block',
      reading.place,
      `"syncexec ${words[0] ?? ''}" waits for the end of the program`,
    );
  },
  sleep: ([seconds], reading) => adviseWait('sleep', seconds, reading),
  wait: ([, seconds], reading) => adviseWait('wait', seconds, reading),
  setrlimit: adviseLimit,
  setparam: adviseSetparam,
  write: adviseWrite,
};

/** Commands whose words are paths that a reader could take for patterns. */
const pathCommands: readonly string[] = [
  'mkdir',
  'chmod',
  'chown',
  'rm',
  'rmdir',
  'copy',
  'symlink',
  'umount',
  'restorecon',
];

/** Reports whether a command looks at its words when it runs and refuses them, beyond their number. */
function doesRefuse(name: string, words: readonly string[]): boolean {
  const [first = ''] = words;
  switch (name) {
    case 'mkdir':
      return words.length === 3;
    case 'mount':
      return words.length < 3;
    case 'chmod':
      return !/^[0-7]*[1-7]/.test(first);
    case 'setrlimit':
      return !limits.includes(first);
    default:
      return false;
  }
}

/** Reports what is odd about the words of a known command. Tells whether init runs it rather than refuse it. */
export function adviseCommand(
  name: string,
  content: string,
  words: readonly string[],
  reading: Reading,
): boolean {
  const { place, report } = reading;
  if (/["']/.test(content)) report('cmd-quote', place, `"${name}" gets the quotes of ${content}`);
  if (/[^ \t]\t/.test(content)) report('cmd-tab', place, `"${name}" gets a word with a tab in it`);
  if (pathCommands.includes(name) && /[*?]/.test(content))
    report('cmd-glob', place, `"${content}" stays as it is`);
  if (words.length > 0) advices[name]?.(words, reading);
  return !doesRefuse(name, words);
}
