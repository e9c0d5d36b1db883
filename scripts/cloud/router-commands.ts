import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { readTextFile } from '../../agent/host/text-file.ts';
import { macOf, signedText } from '../../agent/report/command-desk.ts';
import type { Finish } from '../terminal/program.ts';
import { askNode, sendCommand } from './ask.ts';
import type { CloudPorts } from './options.ts';

interface RouterOptions {
  readonly router: string;
  readonly namespace: string;
}

function withRouter(command: Command): Command {
  return command
    .requiredOption('--router <url>', "address of cloudcore's router, such as http://192.168.1.10:9443")
    .option('-n, --namespace <name>', 'namespace of the rules', 'default');
}

/** Adds `ask`: a question to one board. */
export function addAsk(program: Command, { terminal }: CloudPorts, finish: Finish): void {
  withRouter(program.command('ask'))
    .summary('ask one board')
    .argument('<node>', 'the node')
    .argument(
      '[question]',
      'status, conditions, units, ledger, doctor, logs/UNIT, metrics or version; with ?limit=N',
      'status',
    )
    .action(async (node: string, question: string, { router, namespace }: RouterOptions) => {
      const answer = await askNode({ router, namespace, node }, question);
      terminal.out(answer.trimEnd());
      finish(/^\{[^]*"error":\{"code"/.test(answer) ? 1 : 0);
    });
}

/** Adds `tell`: a signed command for one board. */
export function addTell(program: Command, { terminal, nowMs }: CloudPorts, finish: Finish): void {
  withRouter(program.command('tell'))
    .summary('hand a signed command to one board')
    .description(
      'The board does it only where command.verbs allows it. The router says that it passed it on, not what came of it.',
    )
    .argument('<node>', 'the node')
    .argument('<verb>', 'such as restart-unit')
    .argument('[argument]', 'JSON', '{}')
    .requiredOption('--key-file <file>', 'the key in command.keyFile of the board')
    .action(
      async (node: string, verb: string, argument: string, options: RouterOptions & { keyFile: string }) => {
        const key = (await readTextFile(options.keyFile)).trim();
        const command = { id: randomUUID(), verb, argument, time: nowMs(), nonce: randomUUID() };
        const signed = JSON.stringify({ ...command, mac: macOf(key, signedText(node, command)) });
        await sendCommand({ ...options, node }, signed);
        terminal.out(`passed on to ${node} as ${command.id}`);
        finish(0);
      },
    );
}
