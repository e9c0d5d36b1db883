import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { AgentError } from '../../agent/core/agent-error.ts';
import { JsonLog } from '../../agent/host/json-log.ts';
import { lineParser } from '../../agent/host/log-lines.ts';
import { RotatingFile } from '../../agent/host/rotating-file.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

function written(level: 'debug' | 'info' | 'warn', act: (log: JsonLog) => void): readonly string[] {
  const lines: string[] = [];
  const file = {
    writeNow: (pieces: readonly Uint8Array[]) => void lines.push(Buffer.concat(pieces).toString()),
  };
  act(new JsonLog(file, new FakeClock(), level));
  return lines;
}

test('a line has time, level and event first, then the facts', () => {
  const [line] = written('info', (log) => log.info('unit.ended', { unit: 'dockerd', code: 1 }));
  assert.equal(
    line,
    '{"at":"2025-01-01T00:00:00.000Z","level":"info","event":"unit.ended","unit":"dockerd","code":1}\n',
  );
  assert.equal(lineParser('agent')((line ?? '').trimEnd())?.stream, 'agent');
});

test('lines below the level are not written', () => {
  const lines = written('warn', (log) => {
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
  });
  assert.equal(lines.length, 2);
});

test('whatever the facts are, one line comes out', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const error = new AgentError('TIMED_OUT', 'Cannot wait: too long');
  const lines = written('debug', (log) => {
    log.info('circle', { circle });
    log.info('error', { error });
    log.info('plain', { error: new Error('oops'), big: 5n });
    log.info('long', { text: 'x'.repeat(100_000) });
    log.info('broken', { text: 'two\nlines' });
  });
  assert.equal(lines.length, 5);
  for (const line of lines) assert.ok(line.length < 20_000 && line.indexOf('\n') === line.length - 1);
  assert.match(lines[1] ?? '', /"error":\{"code":"TIMED_OUT","message":"Cannot wait: too long"\}/);
});

test('a log that a power cut tore goes on with a whole line', (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'json-log-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = `${directory}/agent.log`;
  writeFileSync(file, '{"at":"2025-01-01T00:00:00.000Z","level":"info","event":"a"}\n{"at":"20');
  const rotating = new RotatingFile(file, { fileBytes: 1_000, files: 2 });
  new JsonLog(rotating, new FakeClock(), 'info').info('b');
  const lines = readFileSync(file, 'utf8').split('\n');
  assert.equal(lines[1], '{"at":"20');
  assert.match(lines[2] ?? '', /"event":"b"/);
});
