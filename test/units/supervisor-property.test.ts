import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HealthBoard } from '../../agent/health/board.ts';
import { nextTurn } from '../../agent/host/next-turn.ts';
import type { Supervisor } from '../../agent/units/supervisor.ts';
import { FakeUnit } from '../fakes/fake-unit.ts';
import { UnitBench } from '../fakes/unit-bench.ts';

const names = ['dockerd', 'edgecore', 'mapper'] as const;
type Name = (typeof names)[number];

/** What a bad day may bring. */
type Trouble =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'kill' | 'freeze' | 'start' | 'stop' | 'restart'; readonly unit: Name }
  | { readonly kind: 'health'; readonly unit: Name; readonly verdict: 'ready' | 'unready' | 'hang' }
  | { readonly kind: 'deaf'; readonly isDeaf: boolean }
  | { readonly kind: 'refuse'; readonly errno: string | undefined }
  | { readonly kind: 'full-disk'; readonly errno: string | undefined }
  | { readonly kind: 'agent-dies' }
  | { readonly kind: 'spoil-record'; readonly unit: Name };

const unit = fc.constantFrom(...names);
const troubles: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 20_000 }).map((ms): Trouble => ({ kind: 'pass', ms })) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom('kill', 'freeze', 'start', 'stop', 'restart'), unit)
      .map(([kind, name]) => ({ kind, unit: name }) as Trouble),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(unit, fc.constantFrom('ready', 'unready', 'hang'))
      .map(([name, verdict]) => ({ kind: 'health', unit: name, verdict }) as Trouble),
  },
  { weight: 1, arbitrary: fc.boolean().map((isDeaf): Trouble => ({ kind: 'deaf', isDeaf })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(undefined, 'EAGAIN').map((errno): Trouble => ({ kind: 'refuse', errno })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(undefined, 'ENOSPC').map((errno): Trouble => ({ kind: 'full-disk', errno })),
  },
  { weight: 2, arbitrary: fc.constant<Trouble>({ kind: 'agent-dies' }) },
  { weight: 1, arbitrary: unit.map((name): Trouble => ({ kind: 'spoil-record', unit: name })) },
);

const turns = fc.oneof(fc.constant(8), fc.integer({ min: 0, max: 4 }));

type Acts = {
  readonly [K in Trouble['kind']]: (trouble: Extract<Trouble, { kind: K }>) => unknown;
};

const healths = {
  ready: { verdict: 'ready' },
  unready: { verdict: 'unready', reason: 'Busy', message: 'busy' },
  hang: 'hang',
} as const;

/** One machine on which agents come and go while troubles happen. */
class Day {
  readonly bench = new UnitBench();
  readonly units: Readonly<Record<Name, FakeUnit>> = {
    dockerd: new FakeUnit('dockerd'),
    edgecore: new FakeUnit('edgecore', { needs: ['dockerd'] }),
    mapper: new FakeUnit('mapper', { needs: ['edgecore'] }),
  };
  #supervisor: Supervisor | undefined;
  #board: HealthBoard | undefined;
  #agents = 0;
  readonly #acts: Acts = {
    pass: ({ ms }) => this.bench.clock.advance(ms),
    kill: ({ unit: name }) => {
      for (const pid of this.#living(name))
        this.bench.processes.end(pid, { how: 'signalled', signal: 'SIGKILL' });
    },
    freeze: async ({ unit: name }) => {
      for (const process of this.bench.processes.living) {
        if (this.#living(name).includes(process.pid)) await this.bench.processes.signal(process, 'SIGSTOP');
      }
    },
    start: ({ unit: name }) => this.supervisor.startUnit(name),
    restart: ({ unit: name }) => this.supervisor.restartUnit(name),
    stop: ({ unit: name }) => {
      try {
        this.supervisor.stopUnit(name);
      } catch {
        // Refused: another unit needs it.
      }
    },
    health: ({ unit: name, verdict }) => {
      this.units[name].health = healths[verdict];
    },
    deaf: ({ isDeaf }) => {
      this.bench.processes.onTerm = isDeaf ? 'ignores' : 'ends';
    },
    refuse: ({ errno }) => {
      this.bench.processes.refusal = errno;
    },
    'full-disk': ({ errno }) => this.bench.disk.fail(errno),
    'agent-dies': () => this.newAgent(),
    'spoil-record': ({ unit: name }) =>
      this.bench.disk.files.set(`/state/units/${name}.json`, '{"version":1,"pid":'),
  };

  get supervisor(): Supervisor {
    assert.ok(this.#supervisor !== undefined);
    return this.#supervisor;
  }

  async newAgent(): Promise<void> {
    await this.#supervisor?.stop();
    this.#agents += 1;
    const { supervisor, board } = this.bench.agent(Object.values(this.units));
    this.#supervisor = supervisor;
    this.#board = board;
    await supervisor.start(new AbortController().signal);
  }

  /** The next trouble comes so many turns of the event loop later: some are in the midst of what this one brings. */
  async meet(trouble: Trouble, turns: number): Promise<void> {
    const act = this.#acts[trouble.kind] as (trouble: Trouble) => unknown;
    await act(trouble);
    for (let turn = 0; turn < turns; turn += 1) await nextTurn();
    this.check();
  }

  get isReady(): boolean {
    return this.#board?.isReady() === true;
  }

  check(): void {
    for (const name of names) {
      assert.ok(this.#living(name).length <= 1, `${name} runs ${this.#living(name).length} times`);
    }
    for (const process of this.bench.processes.all) {
      const terms = process.signals.filter((signal) => signal === 'SIGTERM').length;
      assert.ok(terms <= this.#agents, `SIGTERM was sent ${terms} times by ${this.#agents} agents`);
    }
  }

  #living(name: Name): readonly number[] {
    return this.bench.processes.living
      .filter((process) => process.spec.argv[0] === `/bin/${name}`)
      .map((process) => process.pid);
  }
}

test('after any bad day everything is ready again, exactly once, as soon as the trouble is over', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(troubles, turns), { maxLength: 40 }), async (sequence) => {
      const day = new Day();
      await day.newAgent();
      for (const [trouble, count] of sequence) await day.meet(trouble, count);
      day.bench.processes.refusal = undefined;
      day.bench.disk.fail(undefined);
      for (const name of names) {
        day.units[name].health = { verdict: 'ready' };
        day.supervisor.startUnit(name);
      }
      await day.bench.clock.advance(400_000);
      day.check();
      assert.deepEqual(
        day.supervisor.status().map(({ name, phase }) => [name, phase]),
        names.map((name) => [name, 'ready']),
      );
      assert.equal(day.bench.processes.living.length, names.length);
      assert.ok(day.isReady, 'the board says something else');
      await day.supervisor.stop();
      assert.equal(day.bench.clock.pending(), 0, 'timers are left behind');
    }),
    { numRuns: 60 },
  );
});
