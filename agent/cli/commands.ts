import { boardCommands, json } from './board-commands.ts';
import type { CommandSpec } from './command.ts';
import { joinOptions } from './join-options.ts';

const unit = { shape: '<unit>', help: 'name of a unit, e.g. dockerd' } as const;

/** Every command, one record each, in the order of the help. */
export const commands: readonly CommandSpec[] = [
  {
    name: 'status',
    summary: 'Show whether the board is ready, and why not',
    details: 'Exit code 0 where the board is ready, 1 where it is not.',
    options: [
      json,
      { flags: '-w, --watch', help: 'show every change until Ctrl-C; with --json one message a line' },
    ],
    load: () => import('./status.ts'),
  },
  {
    name: 'wait',
    summary: 'Wait until the board or a unit is ready',
    details:
      'Waits also while the agent itself is not up yet. Exit code 0 once it is so, 5 where the time is over first.',
    options: [
      {
        flags: '--for <what>',
        help: 'ready, unit=NAME or condition=TYPE',
        default: 'ready',
      },
      { flags: '--timeout <time>', help: 'longest wait, e.g. 90s or 5m', default: '5m' },
    ],
    load: () => import('./wait.ts'),
  },
  ...boardCommands,
  {
    name: 'logs',
    summary: 'Show the log of a unit, or of the agent itself',
    argument: { shape: '[unit]', help: 'name of a unit; without it the log of the agent' },
    options: [
      { flags: '-n, --lines <count>', help: 'newest lines to show', default: '100' },
      { flags: '-f, --follow', help: 'go on with new lines until Ctrl-C' },
      { flags: '-u, --unit <name>', help: 'the same as naming the unit as argument' },
      { flags: '--since <time>', help: 'only lines since then: 10m, 2h or a date' },
      { flags: '--grep <text>', help: 'only lines that contain this text, case ignored' },
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
      { flags: '-n, --lines <count>', help: 'newest records to show', default: '20' },
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
    argument: unit,
    options: [json],
    load: () => import('./restart.ts'),
  },
  {
    name: 'join',
    summary: 'Join a KubeEdge cluster',
    details:
      'Checks everything first and changes nothing where something stands in the way. A board that has joined already is changed to what is given; what is not given stays. Exit code 0 once edgecore is connected, 1 where it is not.',
    options: joinOptions,
    load: () => import('./join.ts'),
  },
  {
    name: 'rejoin',
    summary: 'Join again, e.g. with a fresh token or a new address',
    details: 'The same as join on a board that has joined already: what is not given stays as it was.',
    options: joinOptions,
    load: () => import('./join.ts'),
  },
  {
    name: 'leave',
    summary: 'Leave the cluster and remove what made this its node',
    options: [
      { flags: '--keep-pods', help: 'leave the containers of the cluster running' },
      { flags: '--remove-images', help: 'remove the images of the cluster, too' },
      { flags: '--dry-run', help: 'show the steps and change nothing' },
      json,
    ],
    load: () => import('./leave.ts'),
  },
  {
    name: 'edge',
    summary: 'Show which cluster this board has joined',
    details: 'Exit code 0 where it has joined one, 1 where it has not.',
    options: [json],
    load: () => import('./edge.ts'),
  },
  {
    name: 'update',
    summary: 'Put a new dockerd, edgecore or agent in',
    details:
      'FILE is the program itself or the archive that its maker publishes, on the board, e.g. below /data. It is verified, put beside the old one and switched to; where it does not become ready and stay so, the old one is taken back. Exit code 0 once it has proved itself, 1 where it was taken back.',
    argument: { shape: '[part]', help: 'what to update', choices: ['dockerd', 'edgecore', 'agent'] },
    options: [
      { flags: '--from <file>', help: 'program, or .tar.gz with it' },
      { flags: '--sha256 <hex>', help: 'what the SHA-256 of the file must be' },
      { flags: '--version <version>', help: 'what it must be; for files that do not tell, what it is' },
      { flags: '--list', help: 'show what is in use and what it can go back to' },
      { flags: '--dry-run', help: 'verify the file and change nothing' },
      json,
    ],
    load: () => import('./update.ts'),
  },
  {
    name: 'rollback',
    summary: 'Go back to the dockerd, edgecore or agent before',
    details:
      'The one before has to prove itself, too. A change that is still on trial is taken back at once. Exit code 0 once it is done, 1 where it could not stay.',
    argument: { shape: '<part>', help: 'what to take back', choices: ['dockerd', 'edgecore', 'agent'] },
    options: [json],
    load: () => import('./rollback.ts'),
  },
  {
    name: 'selftest',
    summary: 'Run tiny containers and name the fault that stops them',
    details:
      'Needs no registry: the image is made on the board from its own busybox. Exit code 1 where a rung of the ladder broke.',
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
    summary: 'Show a status page in the browser of this machine',
    details:
      'Prints the address and serves until Ctrl-C, on the loopback interface only. Meant for a developer whose machine reaches the socket of a board, e.g. that of the virtual one.',
    options: [{ flags: '--port <number>', help: 'port of the page; 0 takes a free one', default: '0' }],
    load: () => import('./dashboard.ts'),
  },
  {
    name: 'shutdown',
    summary: 'Stop every unit in order before a reboot',
    details:
      'The agent itself goes on answering; it starts no unit again until it is asked to, or starts anew. Exit code 0 where everything ended by itself, 1 where something had to be killed.',
    options: [
      {
        flags: '--for <what>',
        help: 'reboot: the power goes next; stop: the board goes on',
        default: 'stop',
        choices: ['reboot', 'stop'],
      },
      { flags: '--deadline <time>', help: 'time until the rest is killed', default: '20s' },
      json,
    ],
    load: () => import('./shutdown.ts'),
  },
  {
    name: 'config check',
    summary: 'Check a configuration file',
    details: 'Names every problem at once with its line. Exit code 78 where there are problems.',
    argument: { shape: '<file>', help: 'path of the file, e.g. /data/oh-edge-agent/agent.yaml' },
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
      'For bash: eval "$(agentctl completion bash)". For zsh: eval "$(agentctl completion zsh)" after compinit.',
    argument: {
      shape: '<what>',
      help: 'script for bash or zsh, or the names of the units, one a line',
      choices: ['bash', 'zsh', 'units'],
    },
    load: () => import('./completion.ts'),
  },
  {
    name: 'version',
    summary: 'Show the versions of agentctl and of the running agent',
    options: [json],
    load: () => import('./version.ts'),
  },
];
