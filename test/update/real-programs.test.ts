import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, type TestContext, test } from 'node:test';
import { build } from 'esbuild';
import { decodePartRecord } from '../../agent/update/part-record.ts';

type Line = Readonly<Record<string, unknown>> & { readonly event: string };

const scratch = await mkdtemp(path.join(tmpdir(), 'update-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const program = path.join(scratch, 'update-agent.mjs');
await build({
  entryPoints: ['test/programs/update-agent.ts'],
  outfile: program,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  banner: {
    js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);",
  },
  logLevel: 'warning',
});

/** A home whose image brought a program that stays, and files to put in: programs of this machine with a version behind their end. */
function makeHome(t: TestContext): {
  readonly home: string;
  readonly make: (version: string, from?: string) => string;
} {
  const home = path.join(scratch, `home-${Math.random().toString(36).slice(2)}`);
  mkdirSync(`${home}/image`, { recursive: true });
  for (const name of ['log', 'pipes', 'state']) mkdirSync(`${home}/${name}`);
  t.after(async () => {
    // Agents first: a living one would start another program.
    await Promise.all(agents.filter((agent) => agent.home === home).map((agent) => agent.kill()));
    for (const pid of running(home)) process.kill(pid, 'SIGKILL');
  });
  const make = (version: string, from = '/bin/sleep'): string => {
    const file = `${home}/edgecore-${version}`;
    writeFileSync(
      file,
      Buffer.concat([readFileSync(from), Buffer.from(`\0version.gitVersion=v${version}\0`)]),
    );
    return file;
  };
  writeFileSync(`${home}/image/edgecore`, readFileSync(make('1.20.0')));
  chmodSync(`${home}/image/edgecore`, 0o755);
  return { home, make };
}

/** Processes whose program lies in a home. */
function running(home: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => exeOf(pid).startsWith(`${home}/`));
}

function exeOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

const agents: Agent[] = [];

/** One life of the stand-in agent. */
class Agent {
  readonly home: string;
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  #heard: () => void = () => undefined;

  constructor(home: string) {
    this.home = home;
    agents.push(this);
    this.child = spawn(process.execPath, [program, home], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.#heard();
    });
  }

  async sees(fits: (line: Line) => boolean, from = 0): Promise<Line> {
    for (;;) {
      const found = this.lines.slice(from).find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  async ready(from = 0): Promise<void> {
    await this.sees(({ event, to }) => event === 'unit.changed' && to === 'ready', from);
  }

  async update(file: string): Promise<Line> {
    const from = this.lines.length;
    this.child.stdin?.write(`${file}\n`);
    return this.sees(({ event }) => event === 'answer' || event === 'refusal', from);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}

/** The program that runs now, by its path below the home; there is never more than one. */
function theOne(home: string): string {
  const pids = running(home);
  assert.equal(pids.length, 1, `${pids.length} run`);
  return exeOf(pids[0] ?? 0).slice(home.length + 1);
}

const recordOf = (home: string) => decodePartRecord(readFileSync(`${home}/parts/edgecore/record`, 'utf8'));

test('a real program is replaced while its agent looks on, and one that ends at once is taken back', async (t) => {
  const { home, make } = makeHome(t);
  const agent = new Agent(home);
  await agent.ready();
  assert.equal(theOne(home), 'image/edgecore');
  const good = await agent.update(make('1.22.1'));
  assert.equal(good['ok'], true, JSON.stringify(good));
  assert.match(theOne(home), /^parts\/edgecore\/1\.22\.1-[0-9a-f]{12}\/edgecore$/);
  assert.equal(readFileSync(`${home}/parts/edgecore/current/version`, 'utf8'), 'v1.22.1\n');
  const bad = await agent.update(make('1.23.0', '/bin/false'));
  assert.equal(bad['ok'], false);
  assert.match(JSON.stringify(bad['outcome']), /CrashLoop|KeepsEnding/);
  await agent.ready(agent.lines.findIndex(({ event }) => event === 'part.taken-back'));
  assert.match(theOne(home), /^parts\/edgecore\/1\.22\.1-/);
  assert.deepEqual(readdirSync(`${home}/parts/edgecore`).sort().slice(1), ['current', 'record']);
});

test('a file that is no program, or lost its end, is refused while the old one runs on', async (t) => {
  const { home, make } = makeHome(t);
  const agent = new Agent(home);
  await agent.ready();
  const [before] = running(home);
  const whole = readFileSync(make('1.22.1'));
  for (const [name, bytes] of Object.entries({ text: Buffer.from('hello'), cut: whole.subarray(0, 100) })) {
    writeFileSync(`${home}/${name}`, bytes);
    const answer = await agent.update(`${home}/${name}`);
    assert.equal(answer.event, 'refusal', name);
  }
  assert.deepEqual(running(home), [before]);
  assert.equal(existsSync(`${home}/parts/edgecore/record`), false);
});

test('an agent that is killed at any moment of an update is followed by one that ends it', async (t) => {
  const { home, make } = makeHome(t);
  let agent = new Agent(home);
  await agent.ready();
  const rounds = 12;
  for (let round = 1; round <= rounds; round += 1) {
    agent.child.stdin?.write(`${make(`1.22.${round}`, round % 3 === 0 ? '/bin/false' : '/bin/sleep')}\n`);
    await new Promise((resolve) => setTimeout(resolve, (round * 97) % 700));
    await agent.kill();
    agent = new Agent(home);
    await agent.sees(({ event }) => event === 'begun');
    const deadlineMs = performance.now() + 180_000;
    const isSettled = (): boolean => {
      const record = existsSync(`${home}/parts/edgecore/record`) ? recordOf(home) : undefined;
      const wanted =
        record === undefined || record.current === 'image' ? 'image/' : `parts/edgecore/${record.current}/`;
      const pids = running(home);
      return (
        (record?.phase ?? 'settled') === 'settled' &&
        pids.length === 1 &&
        exeOf(pids[0] ?? 0).startsWith(`${home}/${wanted}`)
      );
    };
    while (!isSettled() && performance.now() < deadlineMs)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(isSettled(), `round ${round}: ${JSON.stringify(agent.lines.slice(-5))}`);
  }
  const file = make('1.23.9');
  let last = await agent.update(file);
  // The record shows the end of a trial to others a moment before it is safe on the disk, and only then is the trial over.
  while (/is on trial/.test(String(last['message']))) last = await agent.update(file);
  assert.equal(last['ok'], true, JSON.stringify(last));
  assert.match(theOne(home), /1\.23\.9-/);
});
