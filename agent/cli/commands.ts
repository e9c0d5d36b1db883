import { boardCommands, json } from './board-commands.ts';
import type { CommandSpec } from './command.ts';
import { joinOptions } from './join-options.ts';

const unit = { shape: '<unit>', help: 'name of a unit, e.g. dockerd' } as const;

/** Every command, one record each, in the order of the help. */
export const commands: readonly CommandSpec[] = [
  {
    name: 'status',
    summary: 'Show whether the board is ready, and why not',
    details: 'Exit code 0 if the board is ready, 1 if it is not.',
    options: [
      json,
      { flags: '-w, --watch', help: 'show every change until Ctrl-C; with --json one message per line' },
    ],
    load: () => import('./status.ts'),
  },
  {
    name: 'wait',
    summary: 'Wait until the board or a unit is ready',
    details:
      'It also waits for the agent itself to come up. Exit code 0 once it is ready, 5 if the time runs out first.',
    options: [
      {
        flags: '--for <what>',
        help: 'ready, unit=NAME or condition=TYPE',
        default: 'ready',
      },
      { flags: '--timeout <time>', help: 'how long to wait at most, e.g. 90s or 5m', default: '5m' },
    ],
    load: () => import('./wait.ts'),
  },
  ...boardCommands,
  {
    name: 'logs',
    summary: 'Show the log of a unit, or of the agent itself',
    argument: { shape: '[unit]', help: 'name of a unit; without it the log of the agent' },
    options: [
      { flags: '-n, --lines <count>', help: 'how many of the newest lines to show', default: '100' },
      { flags: '-f, --follow', help: 'keep showing new lines until Ctrl-C' },
      { flags: '-u, --unit <name>', help: 'same as the argument' },
      { flags: '--since <time>', help: 'only lines newer than this: 10m, 2h or a date' },
      { flags: '--grep <text>', help: 'only lines that contain this text in any case' },
      { flags: '--json', help: 'print each line as JSON' },
    ],
    load: () => import('./logs.ts'),
  },
  {
    name: 'events',
    summary: 'Show what happened since the agent started',
    options: [{ flags: '--after <number>', help: 'only events after this number', default: '0' }, json],
    load: () => import('./events.ts'),
  },
  {
    name: 'ledger',
    summary: 'Show why units were restarted, held or repaired',
    details: 'The ledger survives restarts and power cuts; events do not.',
    options: [
      { flags: '-n, --lines <count>', help: 'how many of the newest records to show', default: '20' },
      { flags: '--after <number>', help: 'only records after this number', default: '0' },
      json,
    ],
    load: () => import('./ledger.ts'),
  },
  {
    name: 'start',
    summary: 'Start a unit',
    argument: unit,
    options: [json],
    load: () => import('./start.ts'),
  },
  {
    name: 'stop',
    summary: 'Stop a unit and leave it down',
    argument: unit,
    options: [json],
    load: () => import('./stop.ts'),
  },
  {
    name: 'restart',
    summary: 'Stop a unit and start it again',
    details:
      'Containers run on while dockerd restarts. `agentctl restart agent` restarts the agent itself, e.g. to read a changed configuration; its units run on.',
    argument: { shape: '<unit>', help: 'name of a unit, or agent' },
    options: [json],
    load: () => import('./restart.ts'),
  },
  {
    name: 'join',
    summary: 'Join a KubeEdge cluster',
    details:
      'Checks everything first and changes nothing if a check fails. On a board that has already joined, only the options given here change. Exit code 0 once edgecore is connected, 1 if it is not.',
    options: joinOptions,
    load: () => import('./join.ts'),
  },
  {
    name: 'rejoin',
    summary: 'Join again, e.g. with a fresh token or a new address',
    details:
      'The same as join on a board that has already joined: options that are not given stay as they were.',
    options: joinOptions,
    load: () => import('./join.ts'),
  },
  {
    name: 'leave',
    summary: 'Leave the cluster and remove what join set up',
    options: [
      { flags: '--keep-pods', help: 'leave the containers of pods running' },
      { flags: '--remove-images', help: 'remove the images of pods, too' },
      { flags: '--dry-run', help: 'show the steps but change nothing' },
      json,
    ],
    load: () => import('./leave.ts'),
  },
  {
    name: 'edge',
    summary: 'Show which cluster this board has joined',
    details: 'Exit code 0 if it has joined one, 1 if it has not.',
    options: [json],
    load: () => import('./edge.ts'),
  },
  {
    name: 'update',
    summary: 'Install a new dockerd, edgecore or agent',
    details:
      'The file is the program itself or the archive that its maker publishes; it must be on the board, e.g. below /data. It is verified, installed beside the old one and started. If it does not become ready and stay ready, the old one is put back. Exit code 0 once the new one has proved itself, 1 if the old one was put back.',
    argument: { shape: '[part]', help: 'what to update', choices: ['dockerd', 'edgecore', 'agent'] },
    options: [
      { flags: '--from <file>', help: 'program, or the .tar.gz that holds it' },
      { flags: '--sha256 <hex>', help: 'refuse the file unless this is its SHA-256' },
      {
        flags: '--version <version>',
        help: 'refuse any other version; needed for files that do not tell theirs',
      },
      { flags: '--list', help: 'show what is in use, and the previous one' },
      { flags: '--dry-run', help: 'verify the file but change nothing' },
      json,
    ],
    load: () => import('./update.ts'),
  },
  {
    name: 'rollback',
    summary: 'Go back to the previous dockerd, edgecore or agent',
    details:
      'The previous one has to prove itself, too. An update that is still on trial is undone at once. Exit code 0 once it is done, 1 if the previous one did not stay ready.',
    argument: { shape: '<part>', help: 'what to put back', choices: ['dockerd', 'edgecore', 'agent'] },
    options: [json],
    load: () => import('./rollback.ts'),
  },
  {
    name: 'selftest',
    summary: 'Run tiny containers and name what stops them',
    details:
      'Needs no registry: the image is made on the board from its own busybox. Exit code 0 if every step worked, 1 if one failed.',
    options: [
      json,
      { flags: '--dns <name>', help: 'a container must also resolve this name' },
      { flags: '--publish', help: 'a published port of a container must answer, too' },
      { flags: '--egress <host:port>', help: 'a container must also reach this address by TCP' },
    ],
    load: () => import('./selftest.ts'),
  },
  {
    name: 'dashboard',
    summary: 'Serve a status page for the browser of this machine',
    details:
      'Prints the address and serves until Ctrl-C, on the loopback interface only. Meant for a developer whose machine reaches the socket of a board, e.g. the virtual board.',
    options: [{ flags: '--port <number>', help: 'port of the page; 0 picks a free one', default: '0' }],
    load: () => import('./dashboard.ts'),
  },
  {
    name: 'shutdown',
    summary: 'Stop every unit in order before a reboot',
    details:
      'The agent itself keeps running; it starts no unit until it is told to or is restarted. Exit code 0 if every unit ended by itself, 1 if one had to be killed.',
    options: [
      {
        flags: '--for <what>',
        help: 'reboot: the power goes next; stop: the board stays on',
        default: 'stop',
        choices: ['reboot', 'stop'],
      },
      { flags: '--deadline <time>', help: 'when to kill what still runs, from now', default: '20s' },
      json,
    ],
    load: () => import('./shutdown.ts'),
  },
  {
    name: 'config check',
    summary: 'Check a configuration file',
    details: 'Names every problem at once with its line. Exit code 0 if there is none, 78 if there are some.',
    argument: {
      shape: '<file>',
      help: 'path of the file, e.g. /data/oh-edge-agent/agent.yaml; - for the standard input',
    },
    options: [json],
    load: () => import('./config-check.ts'),
  },
  {
    name: 'config keys',
    summary: 'List every configuration key with its default',
    options: [json],
    load: () => import('./config-keys.ts'),
  },
  {
    name: 'config default',
    summary: 'Print the default configuration file',
    load: () => import('./config-default.ts'),
  },
  {
    name: 'completion',
    summary: 'Print the completion script for a shell',
    details:
      'bash: eval "$(agentctl completion bash)"; zsh, after compinit: eval "$(agentctl completion zsh)"; fish: agentctl completion fish | source.',
    argument: {
      shape: '<what>',
      help: 'script for a shell, or the names of the units, one per line',
      choices: ['bash', 'zsh', 'fish', 'units'],
    },
    load: () => import('./completion.ts'),
  },
  {
    name: 'version',
    summary: 'Show the versions of agentctl and the running agent',
    options: [json],
    load: () => import('./version.ts'),
  },
];
