import type { StatusDocument, UnitStatus } from '../../agent/api/wire.ts';
import type { HealthBoard } from '../../agent/health/board.ts';

/** A unit in a phase; everything else is plain. */
export function unitStatus(name: string, phase: UnitStatus['phase'], starts = 1): UnitStatus {
  return { name, phase, starts, wanted: 'up', reason: 'Because', message: '', sinceMs: 0, failures: 0 };
}

/** The status document of a board, as the API would give it. */
export function statusDocument(board: HealthBoard, units: readonly UnitStatus[] = []): StatusDocument {
  return {
    wire: 1,
    agent: {
      version: '1.2.3',
      pid: 7,
      startedAtMs: 0,
      uptimeMs: 0,
      node: 'board-1',
      runtime: 'v20.20.2',
      platform: 'linux',
      arch: 'arm64',
      bootId: '0a1b2c3d-0000-0000-0000-000000000000',
      memoryBytes: 1,
      configProblems: [],
    },
    ready: board.isReady(),
    conditions: board.conditions(),
    units,
    prep: { strategy: undefined, isPrepared: true, repairs: 0 },
    sequence: 0,
  };
}
