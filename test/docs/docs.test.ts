import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { commands } from '../../agent/cli/commands.ts';
import { keys } from '../../agent/config/keys.ts';
import { cfgProgram } from '../../scripts/cfg/cfg-program.ts';
import { cloudProgram } from '../../scripts/cloud/cloud-program.ts';
import type { CloudPorts } from '../../scripts/cloud/options.ts';
import { deployProgram } from '../../scripts/deploy/deploy-program.ts';
import { type ImageContext, imageProgram } from '../../scripts/image/image-program.ts';
import { kconfigProgram } from '../../scripts/kconfig/kconfig-program.ts';
import { type PartsContext, partsProgram } from '../../scripts/parts/parts-program.ts';
import { RecordedTerminal } from '../fakes/recorded-terminal.ts';

const terminal = new RecordedTerminal();
const finish = (): void => undefined;
// Only their options are looked at, so nothing stands behind the ports.
const programs: Readonly<Record<string, Command>> = {
  cfg: cfgProgram(terminal, finish),
  kconfig: kconfigProgram(terminal, finish),
  deploy: deployProgram(terminal, finish),
  parts: partsProgram({ terminal } as unknown as PartsContext, finish),
  image: imageProgram({ terminal } as unknown as ImageContext, finish),
  cloud: cloudProgram({ terminal } as unknown as CloudPorts, finish),
};
const pages = [
  'README.md',
  ...readdirSync('docs')
    .sort()
    .map((name) => `docs/${name}`),
];
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** Code of a page: lines of fenced blocks with their comments off, and spans. */
function codeOf(page: string): string[] {
  const text = readFileSync(page, 'utf8').replaceAll('\\\n', ' ');
  const blocks = [...text.matchAll(/^```.*\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    block.split('\n'),
  );
  const prose = text.replaceAll(/^```.*\n[\s\S]*?^```$/gm, '');
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replaceAll(/\s+/g, ' '));
  return [...blocks.map((line) => line.replace(/\s#.*$/, '')), ...spans];
}

/** The words behind each place where a command is called. */
function callsOf(code: string, command: RegExp): string[][] {
  return [...code.matchAll(command)].map((match) => {
    const rest = code.slice((match.index ?? 0) + match[0].length);
    return (rest.split(/[;"|]/)[0] ?? '').trim().split(/\s+/).filter(Boolean);
  });
}

function optionsIn(words: readonly string[]): string[] {
  return words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.replace(/=.*$/, ''));
}

for (const page of pages) {
  test(`every npm command in ${page} exists, with its command and options`, () => {
    for (const code of codeOf(page)) {
      for (const [name = '', dashes, ...words] of callsOf(code, /npm run /g)) {
        if (name === '-s') continue;
        assert.ok(scripts[name] !== undefined, `${page}: npm run ${name}`);
        const program = programs[name];
        if (program === undefined || dashes !== '--') continue;
        const command = program.commands.find((one) => one.name() === words[0]);
        if (program.commands.length > 0 && /^[a-z]+$/.test(words[0] ?? ''))
          assert.ok(command, `${page}: npm run ${name} -- ${words[0]}`);
        const known = [...(command ?? program).options.map(({ long }) => long), '--help'];
        for (const option of optionsIn(words)) assert.ok(known.includes(option), `${page}: ${code}`);
      }
    }
  });

  test(`every agentctl command in ${page} exists, with its options`, () => {
    for (const code of codeOf(page)) {
      for (const [name = '', ...words] of callsOf(code, /(?:^|[ "/])agentctl (?=[a-z])/g)) {
        const spec = commands.find((one) => one.name.split(' ')[0] === name);
        assert.ok(spec, `${page}: agentctl ${name}`);
        const known = JSON.stringify(spec);
        for (const option of optionsIn(words)) assert.ok(known.includes(option), `${page}: ${code}`);
      }
    }
  });

  test(`every link in ${page} leads somewhere`, () => {
    for (const [, target = ''] of readFileSync(page, 'utf8').matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (target.includes('://')) continue;
      assert.ok(existsSync(path.join(path.dirname(page), target)), `${page}: ${target}`);
    }
  });

  test(`every configuration key in ${page} is one`, () => {
    const groups = new Set(Object.keys(keys).map((key) => key.split('.')[0]));
    for (const code of codeOf(page)) {
      const key = /^([a-z]+)\.([a-zA-Z]+)(?:: .*)?$/.exec(code);
      if (key === null || !groups.has(key[1]) || /\.(?:sh|js|ts|yaml|cfg|gz|sock)$/.test(code)) continue;
      assert.ok(Object.hasOwn(keys, `${key[1]}.${key[2]}`), `${page}: ${code}`);
    }
  });
}

test('every reason in the troubleshooting page is one that the agent gives', () => {
  const sources = readdirSync('agent', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(path.join('agent', name), 'utf8'))
    .join('\n');
  const page = readFileSync('docs/troubleshooting.md', 'utf8');
  const words = [...page.matchAll(/`((?:[A-Z][a-z]+){2,})`/g)].map(([, word = '']) => word);
  assert.ok(words.length > 40);
  const unknown = words.filter((word) => word !== 'ThisForm' && !sources.includes(`'${word}'`));
  assert.deepEqual(unknown, []);
});
