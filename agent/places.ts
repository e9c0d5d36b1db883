import { existsSync } from 'node:fs';
import { AgentError } from './core/agent-error.ts';
import { homeDir, productDir } from './core/constants.ts';

/** Where one agent finds and keeps its things; all paths are absolute. */
export interface Places {
  /** Writable home: state, logs, sockets. */
  readonly home: string;
  /** Read-only product directory: our tools and parts. */
  readonly product: string;
  /** The operator's configuration; may be absent. */
  readonly configFile: string;
  /** Static busybox that stands for the tools a board lacks. */
  readonly busybox: string;
  /** Folder that launch.sh took this agent from: the product's, or one of an update. Absent where somebody else started it. */
  readonly slot?: string;
}

/** A developer's machine has no product directory; its own busybox serves there. */
const otherBusyboxes = ['/usr/bin/busybox', '/bin/busybox'];

const names = ['home', 'product', 'config', 'busybox', 'slot'] as const;
type Name = (typeof names)[number];

/** Reads what `agentUsage` tells; USAGE for anything else. */
export function readPlaces(argv: readonly string[]): Places {
  const values = parse(argv);
  const home = values.home ?? homeDir;
  const product = values.product ?? productDir;
  return {
    home,
    product,
    configFile: values.config ?? `${home}/agent.yaml`,
    busybox: values.busybox ?? findBusybox(product),
    ...(values.slot === undefined ? {} : { slot: values.slot }),
  };
}

/** By hand: four options are not worth the milliseconds that node:util's parser takes at every start. */
function parse(argv: readonly string[]): Partial<Record<Name, string>> {
  const values: Partial<Record<Name, string>> = {};
  for (let at = 0; at < argv.length; at += 2) {
    const [word = '', value] = argv.slice(at, at + 2);
    const name = names.find((known) => word === `--${known}`);
    if (name === undefined) throw usage(`"${word}" is no option`);
    if (value?.startsWith('/') !== true) throw usage(`${word} is "${value ?? ''}", want an absolute path`);
    values[name] = value;
  }
  return values;
}

function usage(problem: string): AgentError {
  const text = `agent.js ${names.map((name) => `[--${name} PATH]`).join(' ')}`;
  return new AgentError('USAGE', `Cannot read the arguments: ${problem}; usage: ${text}, see --help`);
}

/** What `agent.js --help` prints. */
export const agentUsage = `Usage: node agent.js [--home DIR] [--product DIR] [--config FILE] [--busybox FILE] [--slot DIR]
The daemon that makes this board an edge node. On a board init starts it by launch.sh; people use agentctl.

  --home DIR       what it keeps: state, logs, sockets (default ${homeDir})
  --product DIR    what it comes with (default ${productDir})
  --config FILE    the configuration (default agent.yaml in its home)
  --busybox FILE   a static busybox (default the product's, else this machine's)
  --slot DIR       where launch.sh took it from

Examples:
  node agent.js
  node agent.js --home /tmp/agent --config /tmp/agent.yaml

Exit code: 0 it was asked to end, 2 wrong usage, 75 it is to be started anew, 70 bug; others as agentctl has them.`;

function findBusybox(product: string): string {
  const own = `${product}/bin/busybox`;
  return [own, ...otherBusyboxes].find((path) => existsSync(path)) ?? own;
}
