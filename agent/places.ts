import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AgentError, messageOf } from './core/agent-error.ts';
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
}

/** A developer's machine has no product directory; its own busybox serves there. */
const otherBusyboxes = ['/usr/bin/busybox', '/bin/busybox'];

const options = {
  home: { type: 'string' },
  product: { type: 'string' },
  config: { type: 'string' },
  busybox: { type: 'string' },
} as const;

/** Reads `--home DIR --product DIR --config FILE --busybox FILE`; USAGE for anything else. */
export function readPlaces(argv: readonly string[]): Places {
  const values = parse(argv);
  const home = values.home ?? homeDir;
  const product = values.product ?? productDir;
  return {
    home,
    product,
    configFile: values.config ?? `${home}/agent.yaml`,
    busybox: values.busybox ?? findBusybox(product),
  };
}

function parse(argv: readonly string[]): { readonly [K in keyof typeof options]?: string | undefined } {
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true });
    const relative = Object.entries(values).find(([, value]) => !value.startsWith('/'));
    if (relative !== undefined)
      throw new Error(`--${relative[0]} is "${relative[1]}", want an absolute path`);
    return values;
  } catch (error) {
    const usage = 'agent.js [--home DIR] [--product DIR] [--config FILE] [--busybox FILE]';
    throw new AgentError('USAGE', `Cannot read the arguments: ${messageOf(error)}; usage: ${usage}`, {
      cause: error,
    });
  }
}

function findBusybox(product: string): string {
  const own = `${product}/bin/busybox`;
  return [own, ...otherBusyboxes].find((path) => existsSync(path)) ?? own;
}
