import { stringify } from 'yaml';
import { allowed } from './allowed.ts';
import { type KeyRow, keys } from './keys.ts';

/** Text of the default configuration file: every key, commented out, with its help, range and default. */
export function defaultFile(): string {
  const head = [
    '# Every key of the agent with its default. Copy what you change to /data/oh-edge-agent/agent.yaml.',
    '# Made from agent/config/keys.ts by `npm run reference`.',
  ];
  const body = Object.entries<KeyRow>(keys).flatMap(([key, row]) => [
    '',
    ...wrap(`${row.help} (${allowed(row)}; applies on ${row.applies})`).map((line) => `# ${line}`),
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
