import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';

// The stand-in init, compiled for this machine, reads probe files as at boot and prints what is left of them. What it
// must do was seen with the real init (openharmony/startup_init, 6.0) on the same kinds of files.

const folder = mkdtempSync(path.join(tmpdir(), 'init-'));
after(() => rmSync(folder, { recursive: true }));
const program = path.join(folder, 'init');
const sources = readdirSync('test/lab/init').filter((name) => name.endsWith('.c'));
const compiled = spawnSync(
  'gcc',
  ['-D_GNU_SOURCE', '-O0', '-w', '-o', program, ...sources.map((name) => `test/lab/init/${name}`), '-lm'],
  { encoding: 'utf8' },
);
const skip =
  compiled.status === 0
    ? false
    : `gcc did not compile the stand-in: ${compiled.error?.message ?? compiled.stderr}`;

writeFileSync(path.join(folder, 'passwd'), 'root:x:0:0:::\nsystem:x:1000:1000:::\n');
writeFileSync(path.join(folder, 'group'), 'root:x:0:\nsystem:x:1000:\nshell:x:2000:\n');

/** What --parse prints for files with the given texts, read in that order. */
function parseTexts(...texts: readonly (string | Uint8Array)[]): string {
  const files = texts.map((text, index) => {
    const file = path.join(folder, `probe-${index}.cfg`);
    writeFileSync(file, text);
    return file;
  });
  const run = spawnSync(program, ['--parse', '--etc', folder, '--param', 'const.secure=0', ...files], {
    encoding: 'utf8',
  });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
}

const parse = (...cfgs: readonly unknown[]): string => parseTexts(...cfgs.map((cfg) => JSON.stringify(cfg)));

/** A cfg with one service made of the given keys. */
const service = (keys: Readonly<Record<string, unknown>>): unknown => ({
  services: [{ name: 's', path: ['/system/bin/x'], secon: 'u:r:su:s0', ...keys }],
});

/** The line that describes service s. */
function line(cfg: unknown): string {
  return /^service s .*=.*$/m.exec(parse(cfg))?.[0] ?? 'no such service';
}

const job = (...cmds: readonly string[]): unknown => ({ jobs: [{ name: 'boot', cmds }] });

test('our own configuration leaves nothing behind and is read as meant', { skip }, () => {
  const run = spawnSync(
    program,
    ['--parse', '--etc', folder, 'sysroot-overlay/system/etc/init/oh_edge_agent.cfg'],
    { encoding: 'utf8' },
  );
  assert.doesNotMatch(run.stdout, /dropped|broken|error|cannot/i);
  assert.match(
    run.stdout,
    /^service oh_edge_agent start-mode=normal uid=0 gid=0 once=0 sandbox=0 setuid=1 /m,
  );
  assert.match(run.stdout, /path \[\/system\/bin\/sh\] \[\/system\/opt\/oh-edge-agent\/launch.sh\]/);
  assert.match(run.stdout, /syncexec \[\/system\/bin\/sh\] \[\/system\/opt\/oh-edge-agent\/stop.sh\]/);
});

test('a command without its trailing space is no command', { skip }, () => {
  const out = parse(job('sync', 'sync ', 'stopAllServices'));
  assert.match(out, /line dropped: "sync"/);
  assert.match(out, /line dropped: "stopAllServices"/);
  assert.match(out, /^ {2}sync$/m);
});

test('surplus words are dropped, quotes are ordinary characters, too few words are an error', {
  skip,
}, () => {
  const out = parse(job('start a b c', 'write /f "a b"', 'exec /p 1 2 3 4 5 6 7 8 9 10', 'chmod 0755'));
  assert.match(out, /^ {2}start \[a\]$/m);
  assert.match(out, /^ {2}write \[\/f\] \["a\] \[b"\]$/m);
  assert.match(out, /^ {2}exec \[\/p\] \[1\] \[2\] \[3\] \[4\] \[5\] \[6\] \[7\] \[8\] \[9\]$/m);
  assert.match(out, /chmod \[0755\] \(too few words\)/);
});

test('a parameter without value spoils its line', { skip }, () => {
  const out = parse(job('mkdir /a/${const.secure}', 'mkdir /a/${no.such}', 'mkdir /a/$x'));
  assert.match(out, /mkdir \[\/a\/0\]/);
  assert.equal(out.match(/a parameter has no value/g)?.length, 2);
});

test('lines that begin with # are ignored without a word', { skip }, () => {
  assert.doesNotMatch(parse(job('# mkdir /x', '   #')), /dropped/);
});

test('a bad key ends the reading, and the service then waits to be started', { skip }, () => {
  assert.match(
    line(service({ uid: 'nobody-here', setuid: true })),
    /start-mode=condition .* setuid=0 .* broken-at=uid/,
  );
  assert.match(line(service({ cgroup: 1 })), /start-mode=normal .* broken-at=cgroup/);
});

test('switches are strict about numbers and booleans, each in its own way', { skip }, () => {
  assert.match(line(service({ once: true })), /broken-at=once/);
  assert.match(line(service({ sandbox: false })), /broken-at=sandbox/);
  assert.match(line(service({ importance: '5' })), /broken-at=importance/);
  assert.match(line(service({ setuid: 1 })), /broken-at=setuid/);
  assert.match(line(service({ ondemand: 1 })), /broken-at=ondemand/);
  assert.match(line(service({ once: 2 })), /once=0/);
  assert.doesNotMatch(line(service({ once: 1, sandbox: 0, setuid: true })), /broken/);
});

test('disabled is read and means nothing', { skip }, () => {
  assert.match(line(service({ disabled: 1 })), /start-mode=normal/);
});

test('a path is 1 to 19 strings of at most 200 characters', { skip }, () => {
  const words = (count: number): string[] => Array.from({ length: count }, () => 'w');
  assert.match(line(service({ path: '/system/bin/x' })), /broken-at=path/);
  assert.match(line(service({ path: [] })), /broken-at=path/);
  assert.doesNotMatch(line(service({ path: words(19) })), /broken/);
  assert.match(line(service({ path: words(20) })), /broken-at=path/);
  assert.doesNotMatch(line(service({ path: ['x'.repeat(200)] })), /broken/);
  assert.match(line(service({ path: ['x'.repeat(201)] })), /broken-at=path/);
});

test('uid and gid: none means root, unknown scalars spoil, unknown names in a list are skipped', {
  skip,
}, () => {
  assert.match(line(service({})), /uid=0 gid=0 /);
  assert.match(line(service({ uid: 'system' })), /uid=1000 gid=1000 /);
  assert.match(line(service({ uid: 'system', gid: ['shell', 'no-such', 'root'] })), /uid=1000 gid=2000,0 /);
  assert.match(line(service({ gid: 'no-such' })), /broken-at=gid/);
  assert.match(line(service({ uid: 'system', gid: ['no-such'] })), /gid=1000 /);
});

test('env is a list of name and value, bounded', { skip }, () => {
  const out = parse(service({ env: [{ name: 'PATH', value: '/a:/b' }] }));
  assert.match(out, /^ {2}env PATH=\/a:\/b$/m);
  assert.match(line(service({ env: [{ PATH: '/a' }] })), /broken-at=env/);
  assert.match(line(service({ env: [{ name: 'A', value: 'x'.repeat(128) }] })), /broken-at=env/);
  assert.doesNotMatch(line(service({ env: { PATH: '/a' } })), /broken/);
});

test('letter case counts for some keys only', { skip }, () => {
  assert.match(line(service({ Once: 1, SANDBOX: 0, UID: 'system' })), /uid=1000 .* once=1 sandbox=0/);
  assert.match(line(service({ GID: 'no-such', Caps: ['NET_ADMIN'] })), /gid=0 .* caps=0/);
  assert.equal(parse({ Services: [{ name: 's', path: ['/x'] }] }), '');
});

test('capabilities go with or without their prefix, upper case only, unknown ones are skipped', {
  skip,
}, () => {
  assert.match(line(service({ caps: ['CAP_NET_ADMIN', 'NET_RAW', 'net_raw', 'BPF', 3] })), /caps=3 /);
});

test('critical is a switch, a list of one, or a list of three', { skip }, () => {
  assert.match(line(service({})), /critical=0\/4\/240/);
  assert.match(line(service({ critical: [1] })), /critical=1\/4\/240/);
  assert.match(line(service({ critical: [0, 5, 10] })), /critical=0\/5\/10/);
  assert.match(line(service({ critical: [1, 2] })), /broken-at=critical/);
  assert.match(line(service({ critical: 'yes' })), /broken-at=critical/);
});

test('a single & drops a job, loose ends only show when it is asked', { skip }, () => {
  const jobs = (condition: string): unknown => ({ jobs: [{ name: 'param:a', condition, cmds: ['sync '] }] });
  assert.match(parse(jobs('a=1 & b=2')), /job "param:a" dropped/);
  assert.match(parse(jobs('a=1 &&')), /^job param:a kind=param condition=a=1 &&$/m);
});

test('jobs of one name are joined across files, in the order of reading', { skip }, () => {
  const out = parse(job('mkdir /first'), job('mkdir /second'));
  assert.equal(out.match(/^job boot /gm)?.length, 1);
  assert.ok(out.indexOf('/first') < out.indexOf('/second'));
});

test('a service of the same name again keeps what is not repeated', { skip }, () => {
  const out = parse(service({ uid: 'system', once: 1 }), {
    services: [{ name: 's', path: ['/system/bin/y'] }],
  });
  assert.match(out, /already exists, updating/);
  assert.match(out, /^service s .*uid=1000.* once=1 /m);
  assert.match(out, /path \[\/system\/bin\/y\]/);
});

test('of repeated keys the first counts', { skip }, () => {
  assert.match(parseTexts('{"services":[{"name":"s","path":["/a"],"once":1,"once":0}]}'), /once=1/);
});

test('broken JSON, a trailing comma or a comment loses the whole file', { skip }, () => {
  for (const text of ['{"jobs":[', '{"jobs":[],}', '// note\n{"jobs":[]}', '{"jobs":[1,]}']) {
    assert.match(parseTexts(text), /failed to parse json/);
  }
});

test('an empty file and one above 100 KiB are as good as missing', { skip }, () => {
  const whole = JSON.stringify(service({}));
  assert.match(parseTexts(''), /not found/);
  assert.match(parseTexts(whole.padEnd(102_400)), /^service s /m);
  assert.match(parseTexts(whole.padEnd(102_401)), /not found/);
});

test('a byte-order mark and what stands behind the JSON are accepted', { skip }, () => {
  assert.match(parseTexts(`\uFEFF${JSON.stringify(service({}))} and then some`), /^service s /m);
});

test('files of any bytes are read or refused, never worse', { skip }, () => {
  const whole = Buffer.from(
    JSON.stringify({ ...(service({ env: [] }) as object), ...(job('sync ') as object) }),
  );
  for (let cut = 1; cut < whole.length; cut += 3) parseTexts(whole.subarray(0, cut));
  for (let at = 0; at < whole.length; at += 5) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 0x55;
    parseTexts(bytes);
  }
});
