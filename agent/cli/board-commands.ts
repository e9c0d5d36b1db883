import type { CommandSpec, OptionSpec } from './command.ts';

/** What every command that shows something takes. */
export const json: OptionSpec = { flags: '--json', help: 'print JSON instead of text' };

/** Commands about the board itself, in the order of the help. */
export const boardCommands: readonly CommandSpec[] = [
  {
    name: 'doctor',
    summary: 'Check the board and say what to do about each fault',
    details:
      'Works without a running agent, too: then agentctl looks at the board itself. Exit code 1 if a check found an error, otherwise 0.',
    options: [
      json,
      { flags: '-a, --all', help: 'show the checks that passed, too' },
      { flags: '--strict', help: 'exit with 1 for warnings, too' },
    ],
    load: () => import('./doctor.ts'),
  },
  {
    name: 'plan',
    summary: 'Show what the ground work would change now',
    details:
      'Works without a running agent, too: then agentctl looks at the board itself. Exit code 0 if nothing is to be done, 1 if there are steps.',
    options: [json],
    load: () => import('./plan.ts'),
  },
  {
    name: 'apply',
    summary: 'Carry out the steps of the plan now',
    options: [{ flags: '--dry-run', help: 'show the steps, as plan does, and change nothing' }, json],
    load: () => import('./apply.ts'),
  },
  {
    name: 'undo',
    summary: 'Undo the ground work',
    details: 'Refused while units are running, because they need it: stop them first.',
    options: [json],
    load: () => import('./undo.ts'),
  },
  {
    name: 'support-bundle',
    summary: 'Collect everything about this board in one file',
    details:
      'Writes one tar file with doctor, plan, status, ledger, logs, configuration, mounts, routes, rules and kernel facts. Tokens, passwords and keys are removed. Works without a running agent, too.',
    options: [
      {
        flags: '-o, --output <file>',
        help: 'where to write it, - for the standard output; default: a new file in the current folder',
      },
      json,
    ],
    load: () => import('./support-bundle.ts'),
  },
];
