import type { CommandSpec, OptionSpec } from './command.ts';

/** What every command that shows something takes. */
export const json: OptionSpec = { flags: '--json', help: 'print the wire value as JSON and nothing else' };

/** Commands about the board itself, in the order of the help. */
export const boardCommands: readonly CommandSpec[] = [
  {
    name: 'doctor',
    summary: 'Check the board and say what to do about each fault',
    details:
      'Works without a running agent too: then this program looks by itself. Exit code 1 where a check found an error.',
    options: [
      json,
      { flags: '-a, --all', help: 'show the checks that are fine, too' },
      { flags: '--strict', help: 'exit with 1 for warnings, too' },
    ],
    load: () => import('./doctor.ts'),
  },
  {
    name: 'plan',
    summary: 'Show what the ground work would change now',
    details:
      'Works without a running agent too: then this program looks by itself. Exit code 0 where nothing is to do, 1 where there are steps.',
    options: [json],
    load: () => import('./plan.ts'),
  },
  {
    name: 'apply',
    summary: 'Do the steps of the plan now',
    options: [{ flags: '--dry-run', help: 'show the steps, as plan does, and change nothing' }, json],
    load: () => import('./apply.ts'),
  },
  {
    name: 'undo',
    summary: 'Take the ground work back',
    details: 'Refused while units run that stand on it: stop them first.',
    options: [json],
    load: () => import('./undo.ts'),
  },
  {
    name: 'support-bundle',
    summary: 'Collect what is known about this board in one file',
    details:
      'One tar of doctor, plan, status, ledger, logs, configuration, mounts, routes, rules and kernel; tokens, passwords and keys are taken out. Works without a running agent too.',
    options: [
      {
        flags: '-o, --output <file>',
        help: 'name of the tar, - for the standard output; by default a new file here',
      },
      json,
    ],
    load: () => import('./support-bundle.ts'),
  },
];
