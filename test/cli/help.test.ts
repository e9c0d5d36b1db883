import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { commands } from '../../agent/cli/commands.ts';
import { groupSummaries, runProgram } from '../../agent/cli/program.ts';

/** Golden texts; `UPDATE_GOLDEN=1 npm run test:unit -- test/cli/help.test.ts` writes them anew. */
const directory = path.join('test', 'data', 'help');
const isUpdate = process.env['UPDATE_GOLDEN'] === '1';

/** Help text as a terminal of 80 columns shows it. */
async function helpOf(words: readonly string[]): Promise<string> {
  let text = '';
  const code = await runProgram([...words, '--help'], {
    out: (part) => {
      text += part;
    },
    err: (part) => {
      text += part;
    },
    version: '0.1.0',
    columns: 80,
    defaultSocket: '/data/oh-edge-agent/run/agent.sock',
    contextFor: () => assert.fail('help needs no context'),
  });
  assert.equal(code, 0, text);
  return text;
}

const pages = ['', ...Object.keys(groupSummaries), ...commands.map(({ name }) => name)];
const fileOf = (name: string): string => `${['agentctl', ...name.split(' ')].filter(Boolean).join('-')}.txt`;

for (const name of pages) {
  test(`the help of "agentctl ${name}" is the one that was agreed`, async () => {
    const text = await helpOf(name.split(' ').filter(Boolean));
    const file = path.join(directory, fileOf(name));
    if (isUpdate) {
      await mkdir(directory, { recursive: true });
      await writeFile(file, text);
    }
    assert.equal(text, await readFile(file, 'utf8'));
  });

  test(`the help of "agentctl ${name}" fits 80 columns`, async () => {
    const text = await helpOf(name.split(' ').filter(Boolean));
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
  });
}

test('no agreed help is left of a command that is gone', async () => {
  assert.deepEqual((await readdir(directory)).sort(), pages.map(fileOf).sort());
});

test('a summary begins with a capital imperative, ends without full stop and has at most 60 characters', () => {
  const summaries = [...commands.map(({ summary }) => summary), ...Object.values(groupSummaries)];
  for (const summary of summaries) {
    assert.match(summary, /^[A-Z][a-z]*[a-rt-z] /, summary);
    assert.doesNotMatch(summary, /\.$/, summary);
    assert.ok(summary.length <= 60, summary);
  }
});

test('the help of an option begins in lower case or with a name, and ends without full stop', () => {
  for (const { options = [], argument } of commands) {
    for (const help of [
      ...options.map((option) => option.help),
      ...(argument === undefined ? [] : [argument.help]),
    ]) {
      assert.match(help, /^[a-z]/, help);
      assert.doesNotMatch(help, /\.$/, help);
    }
  }
});

test('what a command says about itself at length ends with a full stop', () => {
  for (const { details, name } of commands) if (details !== undefined) assert.match(details, /\.$/, name);
});

test('every command has a group word that is explained, and a name of its own', () => {
  const names = commands.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) {
    const [group, second] = name.split(' ');
    if (second !== undefined) assert.ok(group !== undefined && group in groupSummaries, name);
  }
});

test('every command that shows something can show it as JSON', () => {
  const silent = new Set(['wait', 'dashboard', 'config default', 'completion']);
  for (const { name, options = [] } of commands) {
    assert.equal(
      options.some(({ flags }) => flags === '--json'),
      !silent.has(name),
      name,
    );
  }
});

test('every command can be loaded', async () => {
  for (const { load } of commands) assert.equal(typeof (await load()).run, 'function');
});
