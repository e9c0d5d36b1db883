import path from 'node:path';
import { end, launch } from '../launch.ts';
import type { Subject } from './subject.ts';

const programs = path.resolve('scripts/bench/programs');

/** A Node that does nothing at all. */
export function idleNode(node: string): Subject {
  return bare('bare node', [node, path.join(programs, 'bare-idle.mjs')]);
}

/** Twenty lines of Node that answer on a Unix socket, with the document of a file if given, and restart their children at once. */
export function bareHttp(node: string, statusFile = '-'): Subject {
  return {
    name: 'bare node:http',
    isCapturing: false,
    start: async (dir, units) => {
      const scripts = units.names.map((name) => units.script(name));
      const argv = [
        node,
        path.join(programs, 'bare-http.cjs'),
        path.join(dir, 'api.sock'),
        statusFile,
        ...scripts,
      ];
      return bare('bare node:http', argv as [string, ...string[]]).start(dir, units);
    },
  };
}

/** Answers with the status 200 and sends an event to every WebSocket client on a POST. */
export function bareWatch(node: string): Subject {
  return {
    name: 'bare ws server',
    isCapturing: false,
    start: (dir, units) =>
      bare('bare ws server', [node, path.join(programs, 'bare-watch.cjs'), path.join(dir, 'api.sock')]).start(
        dir,
        units,
      ),
  };
}

function bare(name: string, argv: readonly [string, ...string[]]): Subject {
  return {
    name,
    isCapturing: false,
    start: async (dir) => {
      const pid = launch(dir, argv).pid ?? 0;
      return {
        supervisors: () => [pid],
        stop: () => end(pid, 'SIGTERM'),
      };
    },
  };
}
