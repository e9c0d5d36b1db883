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

/** Reads `--home DIR --product DIR --config FILE --busybox FILE --slot DIR`; USAGE for anything else. */
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
  return new AgentError('USAGE', `Cannot read the arguments: ${problem}; usage: ${text}`);
}

function findBusybox(product: string): string {
  const own = `${product}/bin/busybox`;
  return [own, ...otherBusyboxes].find((path) => existsSync(path)) ?? own;
}
