import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AgentError } from '../../agent/core/agent-error.ts';
import type { UnitLogLine } from '../../agent/core/unit-logs.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { QueryDesk, type QuerySources } from '../../agent/report/query-desk.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { QuietLog } from '../fakes/quiet-log.ts';
import { statusDocument, unitStatus } from '../fakes/status-document.ts';

type Body = Record<string, unknown> & {
  readonly error?: { readonly code: string; readonly message: string };
};

function world(parts: Partial<QuerySources> = {}, showsLogs = true) {
  const clock = new FakeClock();
  const board = new HealthBoard(clock);
  board.set('DockerReady', 'false', { reason: 'CrashLoop', message: 'dockerd ended 5 times' });
  board.set('EdgecoreReady', 'false', { reason: 'WaitingForDockerd', message: 'held' });
  const records = Array.from({ length: 120 }, (_, index) => ({
    sequence: index + 1,
    atMs: 0,
    bootId: 'boot',
    kind: 'restart' as const,
    subject: 'dockerd',
    reason: 'Exited',
    message: 'm',
  }));
  const sources: QuerySources = {
    status: () => statusDocument(board, [unitStatus('dockerd', 'failed', 6)]),
    summary: () => board.summary(),
    sample: () => undefined,
    ledger: (after, limit) => records.filter((record) => record.sequence > after).slice(0, limit),
    ledgerSequence: () => 120,
    doctor: () => Promise.resolve({ worst: 'ok', findings: [] }),
    logs: async function* ({ unit, count = 0 }) {
      for (let index = 0; index < count; index += 1) {
        yield { atMs: index, unit, stream: 'err', text: `line ${index}` } satisfies UnitLogLine;
      }
      await Promise.resolve();
    },
    report: () => ({ twin: 'Telling' }),
    ...parts,
  };
  const log = new QuietLog();
  const desk = new QueryDesk({ sources, clock, log, showsLogs });
  const ask = async (target: string, method = 'GET'): Promise<Body> => {
    const { body } = await desk.answer({ method, target });
    return JSON.parse(body) as Body;
  };
  return { clock, desk, ask, log };
}

test('the overview says why the board is not ready, causes before consequences', async () => {
  const { ask } = world();
  const body = await ask('/agent-health');
  assert.equal(body['ready'], false);
  assert.deepEqual(
    (body['causes'] as { type: string }[]).map(({ type }) => type),
    ['DockerReady'],
  );
  assert.deepEqual(body['consequences'], [
    { type: 'EdgecoreReady', reason: 'WaitingForDockerd', by: 'DockerReady' },
  ]);
  assert.deepEqual([body['schema'], body['node'], body['time']], [1, 'board-1', '2025-01-01T00:00:00Z']);
});

test('the prefix of the rule may be there or not', async () => {
  const { ask } = world();
  assert.deepEqual(await ask('/agent-health/units'), await ask('/units'));
  assert.equal((await ask('/agent-healthy')).error?.code, 'NOT_FOUND');
});

test('the ledger is read page by page', async () => {
  const { ask } = world();
  const sequences: number[] = [];
  let after: number | undefined = 0;
  for (let pages = 0; after !== undefined; pages += 1) {
    const body = await ask(`/agent-health/ledger?after=${after}&limit=50`);
    sequences.push(...(body['records'] as { sequence: number }[]).map(({ sequence }) => sequence));
    after = body['next'] as number | undefined;
    assert.ok(pages < 10);
  }
  assert.deepEqual(
    sequences,
    Array.from({ length: 120 }, (_, index) => index + 1),
  );
});

test('logs are shown where the board allows it, of units that exist, and only the last lines', async () => {
  const { ask } = world();
  assert.equal(((await ask('/logs/dockerd?limit=3'))['lines'] as unknown[]).length, 3);
  assert.equal((await ask('/logs/nothing')).error?.code, 'UNIT_UNKNOWN');
  assert.equal((await world({}, false).ask('/logs/dockerd')).error?.code, 'FORBIDDEN');
});

test('hostile questions are refused in the body and have no effect', async () => {
  let asked = 0;
  const { ask } = world({
    logs: async function* () {
      asked += 1;
      yield* await Promise.resolve([]);
    },
  });
  for (const target of [
    '/logs/../../etc/passwd',
    '/logs/..%2f..%2fetc%2fpasswd',
    '/logs/dockerd/../agent',
    '/logs/dockerd%00',
    '/logs//',
    '/logs',
    '/__proto__',
    '/constructor',
    '/units/x',
    '/ledger?limit=0',
    '/ledger?limit=201',
    '/ledger?limit=1e9',
    '/ledger?after=-1',
    `/${'x'.repeat(5_000)}`,
    `/${'a/'.repeat(500)}`,
    'http://elsewhere.example/',
    '',
  ]) {
    const body = await ask(target);
    if (target !== '') assert.ok(body.error, `${target} was answered: ${JSON.stringify(body).slice(0, 100)}`);
  }
  assert.ok((await ask('/units', 'POST')).error);
  assert.ok((await ask('/units', 'x'.repeat(1_000))).error);
  assert.equal(asked, 0);
});

test('any text at all is answered with one JSON object', async () => {
  const { desk, clock } = world();
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string(), async (target, method) => {
      await clock.advance(100);
      const { body, type } = await desk.answer({ method, target });
      if (type.startsWith('application/json')) assert.equal(typeof JSON.parse(body), 'object');
    }),
  );
});

test('a source that hangs costs less than a second', async () => {
  const { clock, ask } = world({
    logs: async function* (_query, signal) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield* [];
    },
  });
  const asking = ask('/logs/dockerd');
  await clock.advance(900);
  assert.equal((await asking).error?.code, 'TIMED_OUT');
  assert.equal(clock.pending(), 0);
});

test('a status that cannot be had is an error in the body, not a silence', async () => {
  const { ask } = world({ status: () => assert.fail('no status') });
  for (const target of ['/agent-health', '/metrics', '/agent-health/units'])
    assert.equal((await ask(target)).error?.code, 'BUG');
});

test('what goes wrong on the board is told to its log and not to whoever asked', async () => {
  const secret = 'EACCES: permission denied, open "/data/x/key.pem"';
  for (const failure of [new Error(secret), new AgentError('FILE_FAILED', secret)]) {
    const { ask, log } = world({
      logs: () => {
        throw failure;
      },
    });
    for (let round = 0; round < 50; round += 1) {
      const { error } = await ask('/logs/dockerd');
      assert.match(error?.message ?? '', /^Cannot answer: .*agentctl logs agent$/);
    }
    assert.deepEqual(
      log.lines.map(({ event, fields }) => [event, fields['error']]),
      [['query.failed', secret]],
    );
  }
});

test('the checks run once for all who ask within a minute, and nobody waits for them', async () => {
  let runs = 0;
  const { clock, ask } = world({
    doctor: async () => {
      runs += 1;
      await clock.sleep(20_000, new AbortController().signal);
      return { worst: 'warning', findings: [] };
    },
  });
  assert.deepEqual(
    [(await ask('/doctor'))['state'], (await ask('/doctor'))['state']],
    ['running', 'running'],
  );
  await clock.advance(20_000);
  const body = await ask('/doctor');
  assert.deepEqual([body['state'], body['worst'], runs], ['fresh', 'warning', 1]);
});

test('a flood is refused cheaply and over in a second, a thousand questions one after the other are not', async () => {
  const { clock, ask } = world();
  const codes = await Promise.all(
    Array.from({ length: 300 }, async () => (await ask('/version')).error?.code),
  );
  assert.equal(codes.filter((code) => code === 'BUSY').length, 100);
  for (let index = 0; index < 1_000; index += 1) {
    await clock.advance(10);
    assert.equal((await ask('/version')).error, undefined);
  }
});

test('an answer that grew too long is an error that says so', async () => {
  const { ask } = world({
    logs: async function* ({ unit }) {
      for (let index = 0; index < 200; index += 1)
        yield { atMs: 0, unit, stream: 'err', text: 'x'.repeat(4_000) };
      await Promise.resolve();
    },
  });
  assert.equal((await ask('/logs/dockerd?limit=200')).error?.code, 'TOO_LARGE');
});

test('metrics are Prometheus text with the reasons as labels', async () => {
  const { desk } = world();
  const { type, body } = await desk.answer({ method: 'GET', target: '/agent-health/metrics' });
  assert.match(type, /^text\/plain; version=0.0.4/);
  assert.match(body, /edge_agent_condition_good\{type="DockerReady",reason="CrashLoop"\} 0/);
  assert.match(body, /edge_agent_unit_starts_total\{unit="dockerd"\} 6/);
  assert.match(body, /# TYPE edge_agent_ledger_entries_total counter\nedge_agent_ledger_entries_total 120/);
});
