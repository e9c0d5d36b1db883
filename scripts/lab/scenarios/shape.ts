import type { Scenario } from './scenario.ts';

/** Shows what the board looks like and powers it off; needs no agent. */
export const shape: Scenario = {
  summary: 'print what the board is like',
  run: async ({ boot, progress }) => {
    const board = await boot();
    const lines = [
      'uname -a',
      'ls -l /',
      'cat /proc/self/mountinfo',
      'ps -A -o PID,USER,ARGS',
      'cat /proc/cgroups',
      'id; env',
    ];
    for (const line of lines) {
      const { code, stdout, stderr } = await board.exec(line, { timeoutMs: 30_000 });
      process.stdout.write(`$ ${line}\n${stdout}${stderr}`);
      if (code !== 0) progress.say(`"${line}" ended with ${code}`);
    }
    await progress.step('power off', async () => board.powerOff());
  },
};
