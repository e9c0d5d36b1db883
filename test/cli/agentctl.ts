import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { build } from 'esbuild';

/** How a run of agentctl went. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const directory = await mkdtemp(path.join(tmpdir(), 'oh-ctl-'));
after(() => rm(directory, { recursive: true, force: true }));

/** The bundle, made as build.mjs makes dist/agentctl.js, so that what is tested is what is shipped. */
export const bundle = path.join(directory, 'agentctl.cjs');
await build({
  entryPoints: ['agent/cli/main.ts'],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  supported: { 'dynamic-import': false },
  target: 'node20',
  loader: { '.html': 'text' },
  define: { __VERSION__: '"0.1.0"' },
  logLevel: 'warning',
});

/** Starts agentctl against a socket; no environment but a path, as on the board. */
export function start(socket: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [bundle, ...args], {
    env: { PATH: process.env['PATH'], OH_EDGE_SOCKET: socket, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Starts a shell that becomes agentctl where its script says `exec "$@"`; its standard input is open. */
export function startIn(script: string, socket: string, args: readonly string[]): ChildProcess {
  return spawn('sh', ['-c', script, 'sh', process.execPath, bundle, ...args], {
    env: { PATH: process.env['PATH'], OH_EDGE_SOCKET: socket },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Runs agentctl to its end. */
export function run(socket: string, ...args: string[]): Promise<Outcome> {
  return finish(start(socket, args));
}

/** Everything that a started agentctl says until it ends. */
export function finish(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk) => {
      stdout += String(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      stderr += String(chunk);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
