import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStarted, startedText } from '../../../scripts/lab/started.ts';

/** Of a board on which somebody asked dockerd for /version, as its kernel told it. */
const trace = `# tracer: nop
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
         dockerd-272     [000] .....   127.997659: task_newtask: pid=1257 comm=dockerd clone_flags=4100 oom_score_adj=-500
            runc-1257    [001] .....   128.000490: task_rename: pid=1257 oldcomm=dockerd newcomm=runc oom_score_adj=-500
            runc-1257    [001] .....   128.004681: sched_process_exec: filename=/docker/runc pid=1257 old_pid=1257
            runc-1257    [001] .....   128.051779: task_newtask: pid=1258 comm=runc clone_flags=3d0f00 oom_score_adj=-500
           <...>-1257    [001] .....   128.055312: task_newtask: pid=1259 comm=runc clone_flags=3d0f00 oom_score_adj=-500
        kthreadd-2       [000] .....   130.113631: task_newtask: pid=1262 comm=kthreadd clone_flags=800711 oom_score_adj=0
    kworker/0:1-1262     [001] .....   130.116622: task_rename: pid=1262 oldcomm=kthreadd newcomm=kworker/0:1 oom_score_adj=0
            hdcd-98      [001] .....   155.545024: task_newtask: pid=1270 comm=hdcd clone_flags=1200000 oom_score_adj=-1000
              sh-1270    [000] .N...   155.555188: task_rename: pid=1270 oldcomm=hdcd newcomm=sh oom_score_adj=-1000
              sh-1270    [000] .....   155.557797: sched_process_exec: filename=/system/bin/sh pid=1270 old_pid=1270
              sh-1270    [000] .....   155.568078: task_newtask: pid=1271 comm=sh clone_flags=0 oom_score_adj=-1000
             cat-1271    [001] .....   155.573513: sched_process_exec: filename=/bin/cat pid=1271 old_pid=1271
`;

test('each process and thread is told with its program and who started it, the question of the lab apart', () => {
  const { own, others } = readStarted(trace, 'hdcd');
  assert.deepEqual(
    own.map(({ what, by }) => `${what} by ${by}`),
    ['/system/bin/sh by hdcd', '/bin/cat by sh'],
  );
  assert.deepEqual(startedText(others), [
    '1 × process /docker/runc, started by dockerd, 128.0 s after boot',
    '2 × thread runc, started by runc, 128.1, 128.1 s after boot',
    '1 × thread kworker/0:1, started by kthreadd, 130.1 s after boot',
  ]);
});
