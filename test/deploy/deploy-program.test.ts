import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployProgram } from '../../scripts/deploy/deploy-program.ts';
import { runProgram } from '../../scripts/terminal/program.ts';
import { RecordedTerminal } from '../fakes/recorded-terminal.ts';

async function deploy(...argv: readonly string[]) {
  const terminal = new RecordedTerminal();
  const exitCode = await runProgram((finish) => deployProgram(terminal, finish), argv, terminal);
  return { exitCode, err: terminal.complaint() };
}

test('what the board would find wrong only after everything was sent is wrong usage before a board is looked for', async () => {
  const noTool = ['--hdc', '/nowhere/hdc'];
  const badTime = await deploy('--timeout', 'soon', ...noTool);
  assert.equal(badTime.exitCode, 2);
  assert.match(badTime.err, /--timeout "soon": want a time such as 90s/);
  const alone = await deploy('--wipe-data', ...noTool);
  assert.equal(alone.exitCode, 2);
  assert.match(alone.err, /it goes with --uninstall/);
});

test('a program that is not there is told with how to name it', async () => {
  const { exitCode, err } = await deploy('--hdc', '/nowhere/hdc');
  assert.equal(exitCode, 1);
  assert.match(err, /Cannot use hdc: .*put it into PATH or name it with --hdc/);
});
