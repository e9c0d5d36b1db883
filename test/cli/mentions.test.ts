import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { commands } from '../../agent/cli/commands.ts';

/** Files whose words people follow: messages of the agent, what lies on the board, the README. */
async function readSources(): Promise<readonly (readonly [string, string])[]> {
  const below = async (root: string): Promise<string[]> =>
    (await readdir(root, { recursive: true })).map((name) => path.join(root, name));
  const names = [...(await below('agent')), ...(await below('sysroot-overlay')), 'README.md'];
  const texts = names.filter((name) => /\.(ts|sh|yaml|cfg|md|html)$/.test(name));
  return Promise.all(texts.map(async (name) => [name, await readFile(name, 'utf8')] as const));
}

test('every command of agentctl that a message or a page names is there', async () => {
  const words = new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''));
  const names = new Set(commands.map(({ name }) => name));
  const unknown: string[] = [];
  for (const [file, text] of await readSources()) {
    for (const [, first = '', second = ''] of text.matchAll(/`agentctl ([a-z]+)(?: ([a-z]+))?/g)) {
      const isKnown = first === 'config' ? names.has(`config ${second}`) : words.has(first);
      if (!isKnown) unknown.push(`${file}: agentctl ${first} ${second}`);
    }
  }
  assert.deepEqual(unknown, []);
});
