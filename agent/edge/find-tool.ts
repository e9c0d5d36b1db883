import type { Programs } from '../core/program.ts';
import { findProgram } from '../core/program-check.ts';
import type { EdgePlaces } from './edge-places.ts';

/** What a tool is looked for with. */
export interface ToolPorts {
  readonly programs: Programs;
  readonly places: EdgePlaces;
  /** Environment of the units. */
  readonly env: () => Readonly<Record<string, string>>;
}

/** Finds a tool of docker or containerd: beside dockerd first, then where the units look. */
export function findTool(name: string, { programs, places, env }: ToolPorts): ReturnType<typeof findProgram> {
  const path = (env()['PATH'] ?? '').split(':').filter((directory) => directory.startsWith('/'));
  return findProgram(name, [places.dockerBinDir, ...path], programs);
}
