import type { Command } from 'commander';
import { type Finish, newProgram } from '../terminal/program.ts';
import { addDoctor, addSmoke } from './edge-commands.ts';
import { addInstall, addToken } from './install-command.ts';
import type { CloudPorts } from './options.ts';
import { addAsk, addTell } from './router-commands.ts';
import { addExplain, addHealth } from './view-commands.ts';

const examples = `
Examples:
  npm run cloud -- install                       Devices, endpoints and rules for all edge nodes; again at any time
  npm run cloud -- health --watch                what Kubernetes and the agents say, side by side
  npm run cloud -- explain board-7               why is it not ready
  npm run cloud -- ask board-7 ledger --router http://192.168.1.10:9443
  npm run cloud -- tell board-7 restart-unit '{"unit":"dockerd"}' --router http://192.168.1.10:9443 --key-file key

Exit code: 0 done or well, 1 something is not well, 2 wrong usage, 3 nobody answers, 4 refused, 5 too slow.`;

/** `npm run cloud`: the cloud side of the agents, with the rights of a kubeconfig. */
export function cloudProgram(ports: CloudPorts, finish: Finish): Command {
  const program = newProgram(
    'cloud',
    'The cloud side of the agents: objects, health, questions.',
    ports.terminal,
  );
  program.addHelpText('after', examples);
  const all = [addInstall, addDoctor, addToken, addHealth, addExplain, addSmoke, addAsk, addTell];
  for (const add of all) add(program, ports, finish);
  return program;
}
