/** How one program talks to boards: its words, and how to read its answers. */
export interface RemoteTool {
  /** Name as a person calls it. */
  readonly name: 'hdc' | 'adb';
  readonly list: readonly string[];
  /** Keys of usable boards in what `list` printed. */
  keysIn(text: string): string[];
  connect(address: string): readonly string[];
  /** Leading words that choose a board. */
  choose(key: string): readonly string[];
  shell(command: string): readonly string[];
  send(local: string, remote: string): readonly string[];
  isSent(text: string): boolean;
  readonly reboot: readonly string[];
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Words of openharmony/developtools_hdc src/host/translate.cpp, 6.0; the exit status is 0 whatever happened. */
const hdc: RemoteTool = {
  name: 'hdc',
  list: ['list', 'targets'],
  keysIn: (text) => lines(text).filter((line) => !line.startsWith('[')),
  connect: (address) => ['tconn', address],
  choose: (key) => ['-t', key],
  shell: (command) => ['shell', command],
  send: (local, remote) => ['file', 'send', local, remote],
  isSent: (text) => text.includes('FileTransfer finish'),
  reboot: ['target', 'boot'],
};

/** Some vendors' images bring adbd instead of hdcd. */
const adb: RemoteTool = {
  name: 'adb',
  list: ['devices'],
  keysIn: (text) => lines(text).flatMap((line) => /^(\S+)\tdevice$/.exec(line)?.[1] ?? []),
  connect: (address) => ['connect', address],
  choose: (key) => ['-s', key],
  shell: (command) => ['shell', command],
  send: (local, remote) => ['push', local, remote],
  isSent: (text) => /\b1 file pushed\b/.test(text),
  reboot: ['reboot'],
};

/** The programs by which boards are reached. */
export const remoteTools = { hdc, adb } as const;
