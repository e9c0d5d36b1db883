import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { homeDir, productDir as product } from '../../agent/core/constants.ts';
import { type Ask, busybox, skip, startNamespaceRig } from './namespace-rig.ts';

const launcher = path.resolve('sysroot-overlay/system/opt/oh-edge-agent/launch.sh');
/** lksh is mksh, OpenHarmony's shell, in a static build; busybox has another one. */
const shells = ['/bin/lksh', busybox].filter((file) => file !== undefined && existsSync(file));
const parts = `${homeDir}/parts/agent`;
const scratch = mkdtempSync(path.join(os.tmpdir(), 'launch-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Launched {
  readonly pid: number;
  readonly namespace: string;
  readonly openFiles: string;
  readonly script: string;
  /** The agent that is run, and the folder it was taken from. */
  readonly code: string;
  readonly slot: string;
}

function startRig(t: TestContext, shell: string, launchScript = launcher): Promise<Ask> {
  const directory = mkdtempSync(path.join(scratch, 'root-'));
  const args = ['stock', busybox as string, directory, launchScript, shell];
  return startNamespaceRig(t, { name: 'launch-rig', scratch, args });
}

/** The launcher with other words in it. */
function changedLauncher(shell: string, changes: Readonly<Record<string, string>>): string {
  let text = readFileSync(launcher, 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    assert.ok(text.includes(from), `the launcher has no "${from}" any more`);
    text = text.replace(from, () => to);
  }
  const file = path.join(mkdtempSync(path.join(scratch, `${path.basename(shell)}-`)), 'launch.sh');
  writeFileSync(file, text);
  return file;
}

/** Lets the agent end three times and starts it again; false where that took longer than init's window, which shows nothing. */
async function endsThrice(t: TestContext, shell: string, windowS: number): Promise<boolean> {
  const ask = await startRig(t, shell, changedLauncher(shell, { 'window=240': `window=${windowS}` }));
  await ask('launch');
  await ask('kill');
  await ask('launch');
  await ask('crash');
  const firstEndMs = performance.now();
  for (const _ of [2, 3]) {
    await ask('launch');
    await ask('crash');
  }
  assert.doesNotMatch(await ask<string>('said'), /would give up/);
  if (performance.now() - firstEndMs > windowS * 500) return false;
  await ask('launch');
  assert.ok(performance.now() - firstEndMs > windowS * 1_000, 'init has forgotten the first end by now');
  assert.match(await ask<string>('said'), /ended 3 times within \d+ s; waiting \d+ s/);
  return true;
}

for (const shell of shells as string[]) {
  test(`the launcher makes a namespace, and the next agent joins it (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    const ask = await startRig(t, shell);
    const first = await ask<Launched>('launch');
    assert.notEqual(first.namespace, readlinkSync('/proc/self/ns/mnt'));
    assert.equal(first.script, '/system/opt/oh-edge-agent/start.js');
    assert.match(await ask<string>('said'), /making a private mount namespace/);
    await ask('kill');
    const second = await ask<Launched>('launch');
    assert.equal(
      second.namespace,
      first.namespace,
      'units of the first agent and the second agent see the same mounts',
    );
    assert.match(await ask<string>('said'), /joining the mount namespace held by \d+/);
  });

  test(`a holder that is gone, or another process with its number, is not joined (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    const ask = await startRig(t, shell);
    const first = await ask<Launched>('launch');
    const [boot, pid, start] = await ask<string[]>('record');
    await ask('kill');
    await ask('forge', `${boot} ${pid} ${Number(start) + 1}\n`);
    const second = await ask<Launched>('launch');
    assert.notEqual(second.namespace, first.namespace);
    await ask('kill');
    await ask('release');
    // Numbers of namespaces are used again, so from here the launcher's own words count.
    await ask('launch');
    await ask('kill');
    const [, pidNow, startNow] = await ask<string[]>('record');
    await ask('forge', `00000000-0000-0000-0000-000000000000 ${pidNow} ${startNow}\n`);
    await ask('launch');
    const said = await ask<string>('said');
    assert.equal(said.match(/making a private mount namespace/g)?.length, 4);
    assert.doesNotMatch(said, /joining/);
  });

  test(`an agent that was put in is started, twice where it does not confirm itself (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    const ask = await startRig(t, shell);
    const launch = async (): Promise<string> => {
      const { code, slot } = await ask<Launched>('launch');
      assert.equal(code, `${slot}/agent.js`);
      await ask('kill');
      return slot;
    };
    const record = (phase: string, base: string) =>
      `oh-edge-part 1\ncurrent new\nformer image\nphase ${phase}\nbase ${base}\nend\n`;
    assert.equal(await launch(), product);
    await ask('update', record('settled', 'BASE'));
    assert.equal(await launch(), `${parts}/new`);
    assert.equal(await ask('starts'), '', 'only starts of one on trial are counted');
    await ask('update', record('switching', 'BASE'));
    assert.equal(await launch(), `${parts}/new`);
    await ask('update', record('watching', 'BASE'));
    assert.equal(await launch(), `${parts}/new`);
    assert.equal(await ask('starts'), '2');
    assert.equal(await launch(), product);
    assert.match(
      await ask<string>('said'),
      /new was started 2 times and did not confirm itself; starting image/,
    );
    await ask('update', record('settled', '1:1'));
    assert.equal(await launch(), product, 'the image brought another agent');
    await ask('update', record('settled', 'BASE').replace('end\n', ''));
    assert.equal(await launch(), product, 'a torn record counts as none');
    await ask('update', record('settled', 'BASE').replace('current new', 'current gone'));
    assert.equal(await launch(), product, 'files that are gone cannot be started');
  });

  test(`an agent on trial whose start cannot be counted is not started (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    const ask = await startRig(t, shell);
    await ask('update', 'oh-edge-part 1\ncurrent new\nformer image\nphase switching\nbase BASE\nend\n');
    await ask('spoil', `${parts}/starts.new`);
    assert.equal((await ask<Launched>('launch')).slot, product);
    assert.match(await ask<string>('said'), /this start of new cannot be counted/);
  });

  test(`an agent that was put in is started although the image's can no longer be read (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    const ask = await startRig(t, shell);
    await ask('update', 'oh-edge-part 1\ncurrent new\nformer image\nphase settled\nbase BASE\nend\n');
    assert.equal(await ask('lose-blocks', `${product}/agent.js`), 0);
    assert.equal((await ask<Launched>('launch')).slot, `${parts}/new`);
  });

  test(`an agent on trial that hangs is ended, and the former one is started (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    const ask = await startRig(t, shell, changedLauncher(shell, { 'sleep 900': 'sleep 1' }));
    await ask('update', 'oh-edge-part 1\ncurrent new\nformer image\nphase switching\nbase BASE\nend\n');
    assert.equal((await ask<Launched>('launch')).slot, `${parts}/new`);
    assert.equal(await ask('ended'), 'SIGKILL');
    assert.equal((await ask<Launched>('launch')).slot, product);
    assert.match(await ask<string>('said'), /ending new: it runs and does not confirm itself/);
  });

  test(`the fourth end within init's window is never seen by init (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    // A busy machine does not get through three ends in a short window, and a long one takes its time.
    for (const windowS of [3, 15, 75, 375]) if (await endsThrice(t, shell, windowS)) return;
    assert.fail('three starts and ends took longer than six minutes');
  });

  test(`an agent is started although nothing can be written down (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    const ask = await startRig(t, shell);
    await ask('launch');
    await ask('kill');
    await ask('spoil-log');
    const { code } = await ask<Launched>('launch');
    assert.equal(code, `${product}/agent.js`);
  });

  test(`an agent that says nothing any more is killed, and what was seen of it is written down (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    const ask = await startRig(t, shell, changedLauncher(shell, { 'silence=100': 'silence=1' }));
    // It has not spoken for itself yet: the launcher has.
    const first = await ask<Launched>('launch');
    assert.equal(await ask('ended'), 'SIGKILL');
    const seen = await ask<string>('hang');
    assert.match(
      seen,
      /^silent for 3 s\npid \d+, state S, \d+ CPU ticks in the last 2 s\nwchan: \w+\nsyscall: \d+ 0x/,
    );
    assert.match(seen, /^VmRSS: \d+ kB$/m);
    assert.ok(seen.trim().split('\n').length <= 10, seen);
    assert.match(await ask<string>('said'), /agent \d+ says nothing for 3 s \(state S\); killing it/);
    const second = await ask<Launched>('launch');
    assert.equal(second.namespace, first.namespace, 'the holder is still there');
    await ask('tell', 'alive ME\n');
    await ask('until-it-waits', 'for a time');
    await ask('tell', 'bye ME\n');
    await ask('until-it-waits', 'for ever');
    await ask('tell', 'alive ME\n');
    await ask('crash');
    await ask('until-it-waits', 'for ever');
    assert.equal((await ask<string>('said')).match(/killing/g)?.length, 1);
    await ask('spin');
    await ask('tell', 'alive ME\n');
    assert.equal(await ask('ended'), 'SIGKILL');
    assert.match(await ask<string>('hang'), /^silent for 3 s\npid \d+, state R, \d{2,} CPU ticks/);
  });

  test(`nonsense on its pipe and a disk that takes nothing do not keep the holder from its work (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    const ask = await startRig(t, shell, changedLauncher(shell, { 'silence=100': 'silence=1' }));
    await ask('launch');
    await ask('kill');
    await ask('spoil-hang');
    await ask('spin');
    const nonsense = [
      '\n',
      'alive\n',
      'alive 1 x\n',
      'alive ME0\n',
      'alive 0 0\n',
      'bye 1 1\n',
      '* ` $(: ;\\\0\n',
    ];
    await ask('tell', `${nonsense.join('')}${'x'.repeat(3_000)}\n`);
    await ask('until-it-waits', 'for ever');
    await ask('tell', `alive ME\n${nonsense.join('')}no end of line`);
    assert.equal(await ask('ended'), 'SIGKILL');
    await ask('spin');
    await ask('tell', '\nalive ME\n');
    assert.equal(await ask('ended'), 'SIGKILL');
  });

  test(`an agent that may get on by itself is waited for, and said to be (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    const forged = 'read -r state <"$home/run/state"; started=${20}';
    const changes = { 'silence=100': 'silence=1', 'state=$1 started=${20}': forged };
    const ask = await startRig(t, shell, changedLauncher(shell, changes));
    await ask('launch');
    await ask('kill');
    for (const [state, why] of [
      ['D', 'it is in state D'],
      ['R', 'it got 0 ticks of CPU only'],
    ] as const) {
      await ask('forge-state', state);
      await ask('launch');
      await ask('until-said', `says nothing for 3 s; waiting, because ${why}`);
      await ask('forge-state', 'S');
      assert.equal(await ask('ended'), 'SIGKILL');
    }
  });
}
