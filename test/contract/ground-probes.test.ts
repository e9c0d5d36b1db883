import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { HostGroundProbes } from '../../agent/host/ground-probes.ts';
import { ToolRunner } from '../../agent/host/tool-runner.ts';

const probes = new HostGroundProbes(new ToolRunner({}), '/no/such/busybox', '/no/such/directory');
const address = '127.53.53.1';
const isAllowed = process.getuid?.() === 0;

test('a name server whose first answer is lost answers', {
  skip: isAllowed ? false : 'needs root',
}, async () => {
  const server = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).bind(53, address, resolve);
  });
  let questions = 0;
  server.on('message', (question, { port }) => {
    questions += 1;
    if (questions === 2) server.send(question, port, address);
  });
  assert.equal(await probes.answersDns(address), true);
  assert.equal(questions, 2);
  server.close();
});

test('a name server at which nobody listens does not answer', async () => {
  assert.equal(await probes.answersDns(address), false);
});
