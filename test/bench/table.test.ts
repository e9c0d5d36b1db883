import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../../scripts/bench/result.ts';
import { single, summarize } from '../../scripts/bench/statistics.ts';
import { renderTable } from '../../scripts/bench/table.ts';

test('the table groups its rows, aligns its columns and names what was missed', () => {
  const start = { group: 'start', name: 'exec → API answers', unit: 'ms' };
  const table = renderTable([
    evaluate({
      ...start,
      summary: summarize([80, 100, 120]),
      reference: { name: 'node -e 0', summary: single(40) },
      goal: { of: 'ratio', is: '<=', bound: 1.5 },
    }),
    evaluate({ ...start, summary: single(100), reference: { name: 'pm2', summary: single(500) } }),
    evaluate({ group: 'idle', name: 'forks', unit: '1/min', summary: single(0) }),
  ]);
  assert.equal(
    table,
    [
      '[start]',
      'what                agent    q1 – q3     n  reference  its value  ratio    goal',
      'exec → API answers  100 ms   90.0 – 110  3  node -e 0  40.0       2.50 ×   <= 1.5 × node -e 0  MISSED',
      'exec → API answers  100 ms               1  pm2        500        0.200 ×',
      '',
      '[idle]',
      'what                agent    q1 – q3     n  reference  its value  ratio    goal',
      'forks               0 1/min              1',
    ].join('\n'),
  );
});
