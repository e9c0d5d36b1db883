import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig, problemTexts } from '../../agent/config/load.ts';
import { FileStore } from '../../agent/host/file-store.ts';

async function folder(t: TestContext): Promise<{ file: string; lastGood: string }> {
  const home = await mkdtemp(path.join(tmpdir(), 'oh-edge-config-'));
  t.after(() => rm(home, { recursive: true }));
  return { file: path.join(home, 'agent.yaml'), lastGood: path.join(home, 'last-good.json') };
}

test('a board without a file runs on the defaults', async (t) => {
  const { file, lastGood } = await folder(t);
  const loaded = await loadConfig(new FileStore(), file, lastGood);
  assert.equal(loaded.source, 'defaults');
  assert.deepEqual(loaded.problems, []);
});

test('a good file is used and kept as the last good copy', async (t) => {
  const { file, lastGood } = await folder(t);
  await writeFile(file, 'log.files: 7\n');
  const loaded = await loadConfig(new FileStore(), file, lastGood);
  assert.equal(loaded.config['log.files'], 7);
  assert.equal(JSON.parse(await readFile(lastGood, 'utf8')).text, 'log.files: 7\n');
});

test('a file that was broken later leaves the board on the last good one and says what is wrong', async (t) => {
  const { file, lastGood } = await folder(t);
  await writeFile(file, 'log.files: 7\n');
  await loadConfig(new FileStore(), file, lastGood);
  await writeFile(file, 'log.files: 7\nlog.flies: 3\n');
  const loaded = await loadConfig(new FileStore(), file, lastGood);
  assert.equal(loaded.source, 'last-good');
  assert.equal(loaded.config['log.files'], 7);
  const [problem] = loaded.problems;
  assert.ok(problem);
  assert.match(
    problemTexts('agent.yaml', [problem])[0] ?? '',
    /^agent\.yaml:2: log\.flies is not a known key/,
  );
});

test('a broken file without a last good copy leaves the board on the defaults', async (t) => {
  const { file, lastGood } = await folder(t);
  await writeFile(file, '\0\0\0garbage: [');
  const loaded = await loadConfig(new FileStore(), file, lastGood);
  assert.equal(loaded.source, 'defaults');
  assert.ok(loaded.problems.length > 0);
});

test('a file that cannot be read leaves the board on the last good one', async (t) => {
  const { file, lastGood } = await folder(t);
  await writeFile(file, 'log.files: 7\n');
  await loadConfig(new FileStore(), file, lastGood);
  const loaded = await loadConfig(new FileStore(), path.dirname(file), lastGood);
  assert.deepEqual([loaded.source, loaded.config['log.files'], loaded.problems.length], ['last-good', 7, 1]);
});

test('a directory in place of the file is a problem, not a crash', async (t) => {
  const { file, lastGood } = await folder(t);
  const loaded = await loadConfig(new FileStore(), path.dirname(file), lastGood);
  assert.match(loaded.problems[0]?.message ?? '', /cannot be read/);
});

test('a file that has not changed is taken from the last good copy, without its parser', async (t) => {
  const { file, lastGood } = await folder(t);
  await writeFile(file, 'log:\n  files: 7\n');
  await loadConfig(new FileStore(), file, lastGood);
  const kept = JSON.parse(await readFile(lastGood, 'utf8'));
  await writeFile(lastGood, JSON.stringify({ ...kept, entries: [{ path: 'log.files', value: 8 }] }));
  const again = await loadConfig(new FileStore(), file, lastGood);
  assert.equal(again.config['log.files'], 8);
  await writeFile(file, 'log:\n  files: 9\n');
  const changed = await loadConfig(new FileStore(), file, lastGood);
  assert.equal(changed.config['log.files'], 9);
});

test('a last good copy that is damaged, or that a newer table refuses, is not used', async (t) => {
  const { file, lastGood } = await folder(t);
  await writeFile(file, 'log.files: 7\n');
  const damaged = ['', '{', '{"text":"log.files: 7\\n"}', '{"text":"log.files: 7\\n","entries":[7]}', 'null'];
  const refused = JSON.stringify({ text: 'log.files: 7\n', entries: [{ path: 'log.gone', value: 1 }] });
  for (const text of [...damaged, refused]) {
    await writeFile(lastGood, text);
    const loaded = await loadConfig(new FileStore(), file, lastGood);
    assert.deepEqual([loaded.source, loaded.config['log.files']], ['file', 7]);
  }
});

test('of very many problems the first are told, and how many there are besides', () => {
  const problems = Array.from({ length: 2_000 }, (_, index) => ({
    path: `a${index}`,
    message: 'is not a known key',
  }));
  const texts = problemTexts('agent.yaml', problems);
  assert.equal(texts.length, 21);
  assert.equal(texts.at(-1), 'agent.yaml: 1980 more problems; see `agentctl config check agent.yaml`');
});

test('a file that a power cut left empty does not take the last good one along', async (t) => {
  const { file, lastGood } = await folder(t);
  const files = new FileStore();
  await writeFile(file, '');
  assert.deepEqual((await loadConfig(files, file, lastGood)).problems, [], 'nothing was lost yet');
  await writeFile(file, 'log.files: 7\n');
  await loadConfig(files, file, lastGood);
  await writeFile(file, '');
  for (const _ of ['at this start', 'and at the next one']) {
    const { config, source, problems } = await loadConfig(files, file, lastGood);
    assert.deepEqual([source, config['log.files']], ['last-good', 7]);
    assert.match(problemTexts(file, problems)[0] ?? '', /the file is empty, as a power cut leaves it/);
  }
});
