import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { cfgProgram } from '../../scripts/cfg/cfg-program.ts';
import { runProgram } from '../../scripts/terminal/program.ts';
import { RecordedTerminal } from '../fakes/recorded-terminal.ts';
import { probeFolder } from './probes.ts';

async function cfg(...argv: readonly string[]) {
  const terminal = new RecordedTerminal();
  const exitCode = await runProgram((finish) => cfgProgram(terminal, finish), argv, terminal);
  return { exitCode, out: terminal.text(), err: terminal.complaint() };
}

async function fileWith(t: TestContext, name: string, text: string): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'cfg-test-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const file = path.join(dir, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

const probe = (name: string) => path.join(probeFolder, name);
const service =
  '{"services":[{"name":"a","path":["/system/opt/p"],"uid":"root","secon":"u:r:x:s0","setuid":true}]}';

test('a clean cfg exits 0, one with an error 1, and --strict counts warnings', async () => {
  assert.equal((await cfg('check', probe('clean.cfg'), '--release', '6.0')).exitCode, 0);
  const bad = await cfg('check', probe('words.cfg'), '--release', '6.0');
  assert.equal(bad.exitCode, 1);
  assert.match(
    bad.out,
    /words\.cfg:6 jobs\[0\]\.cmds\[0\]: error cmd-many \(6\.0\): "start" takes 1 words, lost: b c/,
  );
  assert.match(bad.out, /Fix: put a script in between/);
  assert.match(bad.out, /openharmony\/startup_init/);
  const odd = probe('same-name.cfg');
  assert.equal((await cfg('check', odd, '--release', '6.0')).exitCode, 0);
  assert.equal((await cfg('check', odd, '--release', '6.0', '--strict')).exitCode, 1);
});

test('several files are checked in one run and summed up one by one', async () => {
  const { out, exitCode } = await cfg('check', probe('clean.cfg'), probe('list.cfg'), '--release', '7.0');
  assert.equal(exitCode, 1);
  assert.match(out, /yes: .*clean\.cfg/);
  assert.match(out, /no: .*list\.cfg: 1 errors/);
});

test('--json prints releases and findings and nothing else', async () => {
  const { out } = await cfg('check', probe('twice.cfg'), '--json', '--release', '5.0', '--release', '6.0');
  const answer = JSON.parse(out) as {
    releases: string[];
    files: { file: string; findings: { rule: string; line: number; releases: string[]; source: string }[] }[];
  };
  assert.deepEqual(answer.releases, ['5.0.0', '5.0.1', '5.0.2', '5.0.3', '6.0']);
  const twice = answer.files[0]?.findings.find(({ rule }) => rule === 'json-twice');
  assert.equal(twice?.line, 5);
  assert.match(twice?.source ?? '', /cJSON/);
});

test('the process list decides whether the build stops', async (t) => {
  const file = await fileWith(t, 'a.cfg', service);
  const listed = await fileWith(
    t,
    'list.json',
    '{"high_privilege_process_list":[{"name":"a","uid":"root"}]}',
  );
  const other = await fileWith(
    t,
    'other.json',
    '{"high_privilege_process_list":[{"name":"a","uid":"system"}]}',
  );
  const without = await fileWith(t, 'none.json', '{"high_privilege_process_list":[]}');
  const run = async (list: string) => cfg('check', file, '--release', '6.0', '--process-list', list);
  assert.equal((await run(listed)).exitCode, 0);
  assert.match((await run(other)).out, /build-list .*lists "a" as system, want root/);
  assert.match((await run(without)).out, /build-list .*does not list "a", want root/);
  const broken = await run(file);
  assert.equal(broken.exitCode, 2);
  assert.match(broken.err, /as a process list: want an object/);
});

test('a file above 100 KB, too many services and a vendor folder are told', async (t) => {
  const large = await fileWith(t, 'large.cfg', `${' '.repeat(102_401)}{}`);
  assert.match((await cfg('check', large, '--release', '6.0')).out, /file-large .*102403 bytes/);
  const one = '{"name":"s","path":["/p"],"uid":"shell"}';
  const many = await fileWith(
    t,
    'many.cfg',
    `{"services":[${Array.from({ length: 101 }, () => one).join(',')}]}`,
  );
  assert.match((await cfg('check', many, '--release', '3.2')).out, /services-many .*there are 101/);
  const vendor = await fileWith(t, 'vendor/etc/init/a.cfg', service);
  assert.match((await cfg('check', vendor, '--release', '6.0')).out, /hint file-chipset/);
});

test('show prints what a release makes of a file', async () => {
  const { out, exitCode } = await cfg('show', probe('clean.cfg'), '--release', '6.0');
  assert.equal(exitCode, 0);
  const outcome = JSON.parse(out) as {
    services: { name: string; state: string }[];
    jobs: { name: string }[];
  };
  assert.deepEqual(
    outcome.services.map(({ name, state }) => [name, state]),
    [['p', 'whole']],
  );
  assert.deepEqual(
    outcome.jobs.map(({ name }) => name),
    ['post-fs-data'],
  );
});

test('rules lists every rule with its releases', async () => {
  assert.match((await cfg('rules')).out, /setuid-lock warning \(5\.0\.1 to 7\.0\)/);
  assert.ok((JSON.parse((await cfg('rules', '--json')).out) as unknown[]).length > 100);
});

test('an absent file, a folder, an unknown release and no command exit 2 with the way out', async () => {
  const absent = await cfg('check', '/nonexistent/a.cfg');
  assert.equal(absent.exitCode, 2);
  assert.match(absent.err, /Cannot read "\/nonexistent\/a\.cfg": ENOENT/);
  assert.equal((await cfg('check', probeFolder)).exitCode, 2);
  const unknown = await cfg('check', probe('clean.cfg'), '--release', '8.0');
  assert.equal(unknown.exitCode, 2);
  assert.match(unknown.err, /release "8\.0": want one of 3\.1/);
  assert.equal((await cfg()).exitCode, 2);
  assert.equal((await cfg('--help')).exitCode, 0);
});

test('the program runs as npm starts it', async () => {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as {
    scripts: Record<string, string>;
  };
  assert.match(scripts['cfg'] ?? '', /\btsx scripts\/cfg\/main\.ts$/);
});
