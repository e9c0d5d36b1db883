import { readFileSync } from 'node:fs';
import type { Config } from './config/config.ts';
import type { Clock } from './core/clock.ts';
import type { Commands } from './core/commands.ts';
import type { Files } from './core/files.ts';
import type { Log } from './core/log.ts';
import type { Programs } from './core/program.ts';
import type { HealthBoard } from './health/board.ts';
import { HostPartDisk } from './host/part-disk.ts';
import { HostPartIntake } from './host/part-intake.ts';
import { HostProgramText } from './host/program-text.ts';
import type { Places } from './places.ts';
import { imageSlot } from './update/part-record.ts';
import type { UpdateUnits } from './update/unit-swap.ts';
import { Updater } from './update/updater.ts';
import type { PartLimits } from './update/updater-ports.ts';

/** What the composition root already has. */
export interface UpdatesParts {
  readonly config: Config;
  readonly places: Places;
  readonly clock: Clock;
  readonly files: Files;
  readonly programs: Programs;
  readonly commands: Commands;
  readonly board: HealthBoard;
  readonly log: Log;
  readonly units: () => UpdateUnits;
  /** Ends the agent in order, to be started anew. */
  readonly leave: () => void;
}

/** Milliseconds that a start may take beyond its own limit, and that a process may take beyond its grace. */
const slackMs = 60_000;
/** A new version that ended twice will end again. */
const processes = 3;
/** Times of an agent on trial; launch.sh kills one that has not confirmed itself after 900 s. */
const agentReadyMs = 600_000;
const agentStableMs = 120_000;

/** Builds the updates of parts from ports and host; no logic besides. */
export function createUpdater(parts: UpdatesParts): Updater {
  const { config, places } = parts;
  const stableMs = config['restart.stableMs'];
  const limitsOf = (startMs: number, stopMs: number): PartLimits => ({
    readyMs: startMs + slackMs,
    stableMs,
    processes,
    stopMs: stopMs + slackMs,
  });
  return new Updater(
    {
      home: places.home,
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      launched: launchedSlot(places),
      imagePaths: {
        dockerd: `${config['dockerd.binDir']}/dockerd`,
        edgecore: config['edgecore.binary'],
        agent: `${places.product}/agent.js`,
      },
      limits: {
        dockerd: limitsOf(config['dockerd.startMs'], config['dockerd.stopMs']),
        edgecore: limitsOf(config['edgecore.startMs'], config['edgecore.stopMs']),
        agent: { readyMs: agentReadyMs, stableMs: Math.min(stableMs, agentStableMs), processes, stopMs: 0 },
      },
      restartAgent: parts.leave,
    },
    { ...parts, disk: new HostPartDisk(), intake: new HostPartIntake(), text: new HostProgramText() },
  );
}

/** The slot that launch.sh took the agent from: the product's folder, or one of our own. */
function launchedSlot({ slot, product }: Places): string | undefined {
  if (slot === undefined) return undefined;
  return slot === product ? imageSlot : slot.slice(slot.lastIndexOf('/') + 1);
}
