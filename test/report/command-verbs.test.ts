import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { commandVerbs } from '../../agent/command-verbs.ts';
import { defaultConfig } from '../../agent/config/default-config.ts';
import { parseConfig } from '../../agent/config/parse.ts';
import { FakeVerbs } from '../fakes/fake-verbs.ts';

const signal = new AbortController().signal;

test('a signed command can have a bundle collected, which stays on the board', async (t) => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'verbs-'));
  t.after(() => rmSync(home, { recursive: true }));
  const verbs = new FakeVerbs();
  verbs.failure = new Error('the status cannot be had');
  const argv = ['--home', home, '--product', home];
  const { 'collect-bundle': collect } = commandVerbs({ verbs: () => verbs, home, argv });
  const answer = (await collect?.(undefined, signal)) as { output: string; bytes: number; files: number };
  assert.equal(answer.output, `${home}/support/bundle.tar`);
  const { size, mode } = statSync(answer.output);
  assert.deepEqual([size, mode & 0o777], [answer.bytes, 0o600]);
  assert.ok(answer.files > 10, 'an agent that fails to answer something is bundled all the same');
});

test('a unit is restarted only when the argument names it', async () => {
  const verbs = new FakeVerbs();
  const { 'restart-unit': restart } = commandVerbs({ verbs: () => verbs, home: '/nowhere', argv: [] });
  assert.deepEqual(await restart?.({ unit: 'dockerd' }, signal), { name: 'dockerd', phase: 'stopping' });
  await assert.rejects(async () => restart?.('dockerd', signal), { code: 'INPUT_INVALID' });
});

test('the configuration allows exactly the verbs that there are', () => {
  const names = Object.keys(commandVerbs({ verbs: () => new FakeVerbs(), home: '/', argv: [] }));
  const text = `command.verbs: [${names.join(', ')}]`;
  assert.equal(parseConfig(text).ok, true);
  assert.equal(parseConfig('command.verbs: [shutdown]').ok, false);
  assert.deepEqual(defaultConfig()['command.verbs'], [], 'and none by default');
});
