// Prints what the reports of a board cost on the wire.
import { mkdirSync } from 'node:fs';
import { newProgram, runHere } from '../terminal/program.ts';
import { measureWire, type WireFigures, wireBounds } from './measure.ts';

const rows = {
  messages: 'messages to the event bus',
  messageBytes: 'bytes of them',
  deviceWrites: 'writes of the Device object',
  twinBytes: 'bytes of the twin to the cloud',
  sessions: 'sessions with CloudHub',
  frameBytes: 'bytes of their frames',
  cloudBytes: 'all bytes to the cloud',
  flashBytes: 'bytes written to flash',
} as const;

function table({ quiet, outage, crashLoop }: WireFigures): string {
  const line = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(32) : String(cell).padStart(20))).join('');
  const names = Object.keys(rows) as (keyof typeof rows)[];
  const { written, arrived, states } = outage;
  return [
    line(['an hour of', 'a quiet day', '3 h without broker', 'a crash loop']),
    ...names.map((name) => line([rows[name], quiet[name], outage.wire[name], crashLoop[name]])),
    '',
    `3 h without broker: ${arrived.length} of ${written.length} ledger entries arrived, in order: ${String(arrived) === String(written)};`,
    `  of ${states.made} changes of a condition (${states.away} meanwhile) ${states.told} were told, the others were replaced by newer ones`,
  ].join('\n');
}

const examples = `
Examples:
  npm run wire
  npm run wire -- --json

Exit code: 0 within the bounds, 1 a quiet day costs more, 2 wrong usage.`;

await runHere((terminal, finish) =>
  newProgram('wire', "Measures what a board's reports cost in an hour, on a fast clock.", terminal)
    .option('--json', 'print the figures for programs')
    .addHelpText('after', examples)
    .action(async ({ json }: { readonly json?: true }) => {
      mkdirSync('build', { recursive: true });
      const figures = await measureWire();
      terminal.out(json === true ? JSON.stringify(figures, null, 2) : table(figures));
      const over = Object.entries(wireBounds).filter(
        ([name, bound]) => figures.quiet[name as keyof typeof wireBounds] > bound,
      );
      for (const [name, bound] of over)
        terminal.err(`wire: ${name} of a quiet day is above ${bound} an hour`);
      finish(over.length > 0 ? 1 : 0);
    }),
);
