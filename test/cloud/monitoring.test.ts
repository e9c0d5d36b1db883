import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { StatusDocument } from '../../agent/api/wire.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { metricsText } from '../../agent/report/metrics.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { wanderingSample } from '../fakes/report-world.ts';
import { statusDocument, unitStatus } from '../fakes/status-document.ts';

/** Names and labels of every metric that an agent writes. */
async function written(): Promise<Map<string, Set<string>>> {
  const board = new HealthBoard(new FakeClock());
  board.set('DockerReady', 'true', { reason: 'Ready', message: '' });
  const network = [{ name: 'eth0', isUp: true, receivedBytes: 1, sentBytes: 1 }];
  const sample = { ...wanderingSample(0), network };
  const certificate = { notAfterMs: 1_800_000_000_000, reason: 'Valid', message: '' };
  const edge: NonNullable<StatusDocument['edge']> = { joined: true, certificate };
  const status = { ...statusDocument(board, [unitStatus('dockerd', 'ready')]), edge };
  const text = await metricsText({ status, sample, ledgerSequence: 1 });
  const names = new Map<string, Set<string>>();
  for (const match of text.matchAll(/^([a-z_0-9]+)(?:\{(.*)\})? [\d.e+-]+$/gm)) {
    const labels = [...(match[2] ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label ?? '');
    names.set(match[1] ?? '', new Set(labels));
  }
  return names;
}

/** Names of our metrics in an expression. */
function named(expression: string): readonly string[] {
  return expression.match(/\bedge_(?:agent|board|node)_\w+/g) ?? [];
}

test('every alert asks for metrics and labels that the agent writes', async () => {
  const known = await written();
  const file = parse(readFileSync('scripts/cloud/alerts.yaml', 'utf8')) as {
    groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
  };
  const rules = file.groups.flatMap((group) => group.rules);
  assert.ok(rules.length >= 5);
  for (const { alert, expr, annotations } of rules) {
    assert.ok(named(expr).length > 0, `${alert} asks for nothing of ours`);
    for (const name of named(expr)) assert.ok(known.has(name), `${alert}: nobody writes ${name}`);
    const labels = [
      ...Object.values(annotations)
        .join(' ')
        .matchAll(/\$labels\.(\w+)/g),
    ].map(([, label]) => label ?? '');
    const given = new Set([...named(expr).flatMap((name) => [...(known.get(name) ?? [])]), 'instance']);
    for (const label of labels) assert.ok(given.has(label), `${alert}: nothing carries the label ${label}`);
  }
});

test('every panel of the dashboard asks for metrics that the agent writes, and no metric is left without a panel', async () => {
  const known = await written();
  const text = readFileSync('scripts/cloud/grafana.json', 'utf8');
  const dashboard = JSON.parse(text) as { panels: { title: string; targets: { expr: string }[] }[] };
  const asked = new Set<string>();
  for (const { title, targets } of dashboard.panels) {
    for (const { expr } of targets) {
      for (const name of named(expr)) {
        assert.ok(known.has(name), `${title}: nobody writes ${name}`);
        asked.add(name);
      }
    }
  }
  const shown = new Set([...asked, ...named(readFileSync('scripts/cloud/alerts.yaml', 'utf8'))]);
  const plain = ['edge_agent_ledger_entries_total', 'edge_agent_unit_failures', 'edge_board_load1'];
  assert.deepEqual([...known.keys()].filter((name) => !shown.has(name)).sort(), plain.toSorted());
});
