import { stringify } from 'yaml';
import { allowed } from './allowed.ts';
import { type KeyRow, keys } from './keys.ts';

/** What a changed value needs, in words. */
export const appliesText: Readonly<Record<KeyRow['applies'], string>> = {
  'agent-restart': 'needs a restart of the agent',
  'unit-restart': 'needs a restart of the agent, then of the unit',
};

/** Text of the default configuration file: every key, commented out, with its help, range and default. */
export function defaultFile(): string {
  const head = [
    '# Every key of the agent with its default. Copy the ones you change to /data/oh-edge-agent/agent.yaml, then run',
    '# `agentctl config check /data/oh-edge-agent/agent.yaml && agentctl restart agent`; units and containers run on.',
    '# Made from agent/config/keys.ts by `npm run reference`.',
  ];
  const body = Object.entries<KeyRow>(keys).flatMap(([key, row]) => [
    '',
    ...wrap(`${row.help} (${allowed(row)}; ${appliesText[row.applies]})`).map((line) => `# ${line}`),
    `#${key}: ${stringify(row.default, { collectionStyle: 'flow' }).trim()}`,
  ]);
  return `${[...head, ...body].join('\n')}\n`;
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length > 100) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
