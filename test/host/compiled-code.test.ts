import assert from 'node:assert/strict';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { type CodePlaces, loadCode } from '../../agent/host/compiled-code.ts';

const program = (value: number): string =>
  `/* program */ // ${String(value).padStart(64, '0')}\n(function () { globalThis.compiledCodeTest = ${value}; })();\n`;

const seen = (): unknown => Reflect.get(globalThis, 'compiledCodeTest');

async function places(t: TestContext): Promise<CodePlaces> {
  const folder = await mkdtemp(path.join(tmpdir(), 'compiled-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(path.join(folder, 'state'));
  const code = path.join(folder, 'program.js');
  await writeFile(code, program(1));
  return { code, compiled: path.join(folder, 'state/compiled-code') };
}

/** Runs the program once and keeps its code; then nothing but what a test changes can make the next start refuse it. */
async function kept(t: TestContext): Promise<CodePlaces> {
  const all = await places(t);
  const first = loadCode(all);
  assert.equal(first.wasKept, false);
  first.run();
  await first.keep();
  assert.equal(loadCode(all).wasKept, true);
  return all;
}

test('the second start takes the code that the first one kept, and runs the same program', async (t) => {
  const all = await kept(t);
  const second = loadCode(all);
  second.run();
  assert.equal(seen(), 1);
  assert.equal((await stat(all.compiled)).mode & 0o777, 0o600);
  const before = await stat(all.compiled);
  await second.keep();
  assert.equal((await stat(all.compiled)).ino, before.ino, 'what fits is not written again: flash wears');
  assert.deepEqual(await readdir(path.dirname(all.compiled)), ['compiled-code']);
});

test('kept code with one damaged byte anywhere is not run', async (t) => {
  const all = await kept(t);
  const bytes = await readFile(all.compiled);
  for (const at of [0, 40, 250, 256, Math.floor(bytes.length / 2), bytes.length - 1]) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 0x55;
    await writeFile(all.compiled, damaged);
    const code = loadCode(all);
    assert.equal(code.wasKept, false, `byte ${at}`);
    code.run();
  }
  for (const length of [0, 100, 256, bytes.length - 1]) {
    await writeFile(all.compiled, bytes.subarray(0, length));
    assert.equal(loadCode(all).wasKept, false, `cut to ${length}`);
  }
});

test('a new program does not run with the code of the old one, even of the same size and time', async (t) => {
  const all = await kept(t);
  const { atime, mtime } = await stat(all.code);
  await writeFile(all.code, program(2));
  await utimes(all.code, atime, mtime);
  const code = loadCode(all);
  code.run();
  assert.equal(code.wasKept, false);
  assert.equal(seen(), 2);
  await code.keep();
  assert.equal(loadCode(all).wasKept, true, 'its own code takes the place');
});

test('a program that was edited by hand is compiled again', async (t) => {
  const all = await kept(t);
  await utimes(all.code, 1, 1);
  assert.equal(loadCode(all).wasKept, false);
});

test('kept code that others may write or own is not trusted', async (t) => {
  const all = await kept(t);
  await chmod(all.compiled, 0o660);
  assert.equal(loadCode(all).wasKept, false);
  await chmod(all.compiled, 0o600);
  assert.equal(loadCode(all).wasKept, true);
  if (process.getuid?.() !== 0) return t.skip('the rest needs root to give a file away');
  await chown(all.compiled, 4_711, 4_711);
  assert.equal(loadCode(all).wasKept, false);
});

test('a place that cannot be written costs nothing but time', async (t) => {
  const all = await places(t);
  const nowhere = { ...all, compiled: path.join(path.dirname(all.compiled), 'absent/compiled-code') };
  const code = loadCode(nowhere);
  code.run();
  await code.keep();
  assert.equal(loadCode(nowhere).wasKept, false);
});

const late = 'function __late(value) {\nreturn value + 1; }\n';
const packages = 'function __packages(value) { return 2 * value; }\n';
const end = '//# sourceMappingURL=program.js.map\n';

/** As build.mjs writes it: two functions stand behind the program, and line 2 says where. */
function withFunctions(said = `${late.length} 6 ${packages.length} 8 ${end.length}`): string {
  const head = `/* program */ // ${'5'.repeat(64)}\n// behind: ${said}\n`;
  const use = 'globalThis.compiledCodeTest = () => [__late(4), __packages(4)];';
  return `${head}(function (exports, __late, __packages) {\n${use}\n})({}, __late, __packages);\n${late}${packages}${end}`;
}

/** What start.js gives to a program. */
function runWithFunctions(code: ReturnType<typeof loadCode>): unknown {
  const [__late, __packages] = code.behind;
  Object.assign(globalThis, { __late, __packages });
  code.run();
  return (seen() as () => unknown)();
}

test('functions behind a program are read when one is first called, even if the file has gone by then', async (t) => {
  const all = await places(t);
  await writeFile(all.code, withFunctions());
  const code = loadCode(all);
  await rm(all.code);
  assert.deepEqual(runWithFunctions(code), [5, 8]);
  assert.deepEqual((seen() as () => unknown)(), [5, 8]);
});

test('what stands behind a program is kept too, and what nobody called is not', async (t) => {
  const all = await places(t);
  await writeFile(all.code, withFunctions());
  const idle = loadCode(all);
  await idle.keep();
  assert.deepEqual(await readdir(path.dirname(all.compiled)), ['compiled-code']);
  const first = loadCode(all);
  assert.deepEqual(runWithFunctions(first), [5, 8]);
  assert.equal(first.wasKept, false);
  await first.keep();
  const second = loadCode(all);
  assert.deepEqual(runWithFunctions(second), [5, 8]);
  assert.equal(second.wasKept, true);
  await rename(`${all.compiled}-3`, `${all.compiled}-2`);
  const mixed = loadCode(all);
  assert.deepEqual(runWithFunctions(mixed), [5, 8], 'one part is never run with the code of another');
});

test('an error behind a program is told with its line in the file', async (t) => {
  const all = await places(t);
  const text = withFunctions().replace('return value + 1', 'throw new Error()');
  await writeFile(all.code, text.replace(`${late.length} 6`, `${late.length + 1} 6`));
  const line = text.split('\n').findIndex((one) => one.startsWith('throw')) + 1;
  assert.throws(
    () => runWithFunctions(loadCode(all)),
    (error: Error) => error.stack?.includes(`program.js:${line}:`) === true,
  );
});

test('a program whose second line does not fit what stands there runs as a whole', async (t) => {
  const whole = `${late.length} 6 ${packages.length} 8`;
  for (const said of [
    '7',
    `${late.length}`,
    `${whole} 0`,
    `${whole} ${10 ** 9}`,
    `1 ${whole} ${end.length}`,
  ]) {
    const all = await places(t);
    await writeFile(all.code, withFunctions(said));
    assert.deepEqual(runWithFunctions(loadCode(all)), [5, 8], `it says ${said}`);
  }
});
