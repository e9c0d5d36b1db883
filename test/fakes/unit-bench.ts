import type { UnitSpec } from '../../agent/core/unit-spec.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { nextTurn } from '../../agent/host/next-turn.ts';
import { Supervisor } from '../../agent/units/supervisor.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeDisk } from './fake-disk.ts';
import { FakeProcesses } from './fake-processes.ts';
import { FakePrograms } from './fake-programs.ts';
import { FakeUnitLogs } from './fake-unit-logs.ts';
import { QuietLog } from './quiet-log.ts';

/** A machine for supervisors: agents come and go on it, its processes and files stay. */
export class UnitBench {
  readonly clock = new FakeClock();
  readonly disk = new FakeDisk();
  readonly processes = new FakeProcesses();
  readonly programs = new FakePrograms();
  readonly logs = new FakeUnitLogs();
  readonly log = new QuietLog();
  chance = 0.5;

  /** A new agent's supervisor; `board` is its own. */
  agent(specs: readonly UnitSpec[]): { readonly supervisor: Supervisor; readonly board: HealthBoard } {
    const board = new HealthBoard(this.clock);
    const { clock, processes, programs, logs, log } = this;
    const random = (): number => this.chance;
    const ports = { clock, nextTurn, processes, programs, logs, log, board, random, files: this.disk };
    return { supervisor: new Supervisor(specs, { ...ports, recordDir: '/state/units' }), board };
  }

  /** Starts an agent and lets `ms` pass. */
  async start(
    specs: readonly UnitSpec[],
    ms = 2_000,
  ): Promise<{ readonly supervisor: Supervisor; readonly board: HealthBoard }> {
    const agent = this.agent(specs);
    await agent.supervisor.start(new AbortController().signal);
    await this.clock.advance(ms);
    return agent;
  }
}
