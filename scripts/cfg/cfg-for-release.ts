import * as v from 'valibot';
import { AgentError, messageOf } from '../../agent/core/agent-error.ts';
import { homeDir } from '../../agent/core/constants.ts';
import { commandsOf } from './command-table.ts';
import type { Release } from './release.ts';
import { findKey, isRead } from './service-keys.ts';

const schema = v.looseObject({
  jobs: v.optional(v.array(v.looseObject({ cmds: v.optional(v.array(v.string())) }))),
  services: v.optional(v.array(v.record(v.string(), v.unknown()))),
});

/**
 * File that a script of `syncexec` makes when it has ended. A release without `syncexec` starts the script with `exec`,
 * which does not wait, and waits for this file instead.
 */
const endMark = `${homeDir}/run/stopped`;
/** `wait` takes 5 seconds at most (WAIT_MAX_SECOND); four of them outlast the longest stop. */
const waits = Array.from({ length: 4 }, () => `wait ${endMark} 5`);

/**
 * The cfg that does the same on an older init: keys that it does not know are left out (3.1 refuses a service with any
 * of them, openharmony/startup_init services/init/init_service_manager.c CheckServiceKeyName), and `syncexec` becomes
 * `exec` with a bounded wait where it is unknown. A release that needs no change gets the text as it is.
 */
export function cfgForRelease(text: string, release: Release): string {
  const cfg = parse(text);
  const services = cfg.services?.map((service) =>
    Object.fromEntries(Object.entries(service).filter(([key]) => isKnown(key, release))),
  );
  const jobs = cfg.jobs?.map((job) =>
    job.cmds === undefined
      ? job
      : { ...job, cmds: job.cmds.flatMap((command) => commandsFor(command, release)) },
  );
  const changed = {
    ...cfg,
    ...(jobs === undefined ? {} : { jobs }),
    ...(services === undefined ? {} : { services }),
  };
  return JSON.stringify(changed) === JSON.stringify(cfg) ? text : `${JSON.stringify(changed, null, 4)}\n`;
}

function parse(text: string): v.InferOutput<typeof schema> {
  try {
    const cfg: unknown = JSON.parse(text);
    // Asserted and not parsed, so that the order of the keys stays.
    v.assert(schema, cfg);
    return cfg;
  } catch (error) {
    throw new AgentError('INPUT_INVALID', `Cannot adapt the cfg: ${messageOf(error)}; check it first`, {
      cause: error,
    });
  }
}

/** Only 3.1 minds; later releases ignore what they do not know, so one file serves all of them. */
function isKnown(key: string, release: Release): boolean {
  const known = findKey(key);
  return release !== '3.1' || known === undefined || isRead(known, release);
}

function commandsFor(command: string, release: Release): readonly string[] {
  const [name, ...words] = command.split(' ');
  if (name !== 'syncexec' || commandsOf(release).has(name)) return [command];
  return [`rm ${endMark}`, `exec ${words.join(' ')}`, ...waits];
}
