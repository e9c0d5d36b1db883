import type { Command } from 'commander';
import { AgentError } from '../../agent/core/agent-error.ts';
import type { CloudProbe } from '../../agent/core/cloud-probe.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { Kube } from './kube.ts';

/** What the program reaches the outside with. */
export interface CloudPorts {
  readonly terminal: Terminal;
  readonly openKube: (file: string | undefined, context: string | undefined) => Promise<Kube>;
  /** Asks cloudcore itself, at the address that the boards use. */
  readonly cloud: CloudProbe;
  /** Wall clock in milliseconds. */
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** From here on the first Ctrl-C aborts the signal instead of ending the program; the second one ends it. */
  readonly untilInterrupted: () => AbortSignal;
}

/** What every command that talks to the API server is told. */
export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** The same with a namespace. */
export interface KubeOptions extends ClusterOptions {
  readonly namespace: string;
}

/** Adds the options of a command that talks to the API server. */
export function withCluster(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig to use (default: KUBECONFIG or ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig');
}

/** The same for a command that works in one namespace. */
export function withKube(command: Command, namespaceHelp = 'namespace of Devices and rules'): Command {
  return withCluster(command).option('-n, --namespace <name>', namespaceHelp, 'default');
}

/** Reads a port from an argument; what is no port is wrong usage. */
export function portOf(text: string): number {
  return wholeNumber('port', text, 65_535);
}

/** Reads seconds from an argument, at most an hour. */
export function secondsOf(text: string): number {
  return wholeNumber('--timeout', text, 3_600);
}

function wholeNumber(what: string, text: string, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number > 0 && number <= most) return number;
  throw new AgentError('USAGE', `Cannot use ${what} "${text}": want a whole number from 1 to ${most}`);
}
