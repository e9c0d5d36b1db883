import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ToolRunner } from '../../agent/host/tool-runner.ts';
import { patience } from '../fakes/patience.ts';

const tools = new ToolRunner({ PATH: '/usr/bin:/bin', LC_ALL: 'C' });

test('a tool gives its exit code and both streams', async () => {
  const result = await tools.run(['/bin/sh', '-c', 'echo out; echo err >&2; exit 3']);
  assert.deepEqual(result, { code: 3, stdout: 'out\n', stderr: 'err\n', truncated: false });
});

test('a tool gets its input and the given environment only', async () => {
  assert.equal((await tools.run(['/bin/cat'], { input: 'hello' })).stdout, 'hello');
  const { stdout } = await tools.run(['/usr/bin/env']);
  assert.deepEqual(stdout.trim().split('\n').sort(), ['LC_ALL=C', 'PATH=/usr/bin:/bin']);
});

test('a tool that does not read its input is no error', async () => {
  const result = await tools.run(['/bin/true'], { input: 'x'.repeat(1_000_000) });
  assert.equal(result.code, 0);
});

test('a tool that is not there is named with its errno', async () => {
  await assert.rejects(tools.run(['/no/such/tool', 'x']), {
    code: 'TOOL_FAILED',
    message: 'Cannot run "/no/such/tool x": it cannot be started: ENOENT',
  });
});

test('a tool that does not end is killed together with its children', async () => {
  const mark = `${4_000_000 + process.pid}`;
  const script = `sleep ${mark} & sleep ${mark}; wait`;
  await assert.rejects(tools.run(['/bin/sh', '-c', script], { timeoutMs: 100 }), {
    code: 'TIMED_OUT',
    message: /did not end within 100 ms and was killed/,
  });
  // A killed process is seen until the kernel has taken it down; its parent is not waited for.
  const patient = patience();
  while (commandLines().some((line) => line.includes(mark))) {
    assert.ok(!patient.aborted, 'a child of the tool lives on');
    await setImmediate();
  }
});

test('a tool that the kernel does not let go keeps nobody waiting, and is not started beside itself until it has gone', async () => {
  const groups: number[] = [];
  const held = new ToolRunner({ PATH: '/usr/bin:/bin' }, (group) => groups.push(group));
  const argv = ['/bin/sleep', `${5_000_000 + process.pid}`] as const;
  const late = { code: 'TIMED_OUT', message: /the kernel does not let go of it.*state D/ };
  await assert.rejects(held.run(argv, { timeoutMs: 50 }), late);
  await assert.rejects(held.run(argv, { timeoutMs: 50 }), late);
  assert.equal(groups.length, 1, 'it was started once');
  assert.equal((await held.run(['/bin/true'])).code, 0);
  process.kill(-(groups[0] ?? 0), 'SIGKILL');
  const patient = patience();
  while (groups.length === 1) {
    assert.ok(!patient.aborted, 'it is never started again');
    await held.run(argv, { timeoutMs: 50 }).catch(() => undefined);
    await setImmediate();
  }
  process.kill(-(groups[1] ?? 0), 'SIGKILL');
});

/** Command lines of all processes, read as ps does, which not every machine has. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
}

test('endless output is cut at 1 MiB and said to be', async () => {
  const result = await tools.run(['/usr/bin/head', '-c', '3000000', '/dev/zero']);
  assert.deepEqual(
    { length: result.stdout.length, truncated: result.truncated },
    {
      length: 1_048_576,
      truncated: true,
    },
  );
});

test('an argument is never read by a shell', async () => {
  const trap = '/tmp/oh-edge-agent-never';
  const { stdout } = await tools.run(['/bin/echo', `; touch ${trap}`]);
  assert.equal(stdout, `; touch ${trap}\n`);
  assert.equal(existsSync(trap), false);
});
