import assert from 'node:assert/strict';
import test from 'node:test';
import { createApi } from '../../agent/api/api.ts';
import { routes } from '../../agent/api/routes.ts';
import { AgentError } from '../../agent/core/agent-error.ts';
import type { Api, ApiAnswer, ApiRequest, Permission } from '../../agent/core/api-port.ts';
import { FakeVerbs } from '../fakes/fake-verbs.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const everything: readonly Permission[] = ['observe', 'operate'];

function setUp(): { verbs: FakeVerbs; log: QuietLog; api: Api } {
  const verbs = new FakeVerbs();
  const log = new QuietLog();
  return { verbs, log, api: createApi({ verbs, log }) };
}

function request(method: string, target: string, more: Partial<ApiRequest> = {}): ApiRequest {
  return { method, target, body: '', may: everything, signal: new AbortController().signal, ...more };
}

function errorOf({ body }: ApiAnswer): { code: string; message: string } {
  return (body as { error: { code: string; message: string } }).error;
}

test('the status is answered as the verbs give it', async () => {
  const { api, verbs } = setUp();
  assert.deepEqual(await api.handle(request('GET', '/v1/status')), { status: 200, body: verbs.status() });
});

test('a unit verb changes the unit that the path names and answers its state', async () => {
  const { api, verbs } = setUp();
  const answer = await api.handle(request('POST', '/v1/units/dockerd/stop'));
  assert.equal(answer.status, 200);
  assert.equal(verbs.units.get('dockerd')?.wanted, 'down');
});

test('an unknown unit is 404 with the code and message that the verb threw', async () => {
  const { api } = setUp();
  const answer = await api.handle(request('POST', '/v1/units/dockred/stop'));
  assert.equal(answer.status, 404);
  assert.deepEqual(errorOf(answer), {
    code: 'UNIT_UNKNOWN',
    message: 'Cannot find unit "dockred": want one of dockerd, edgecore',
  });
});

test('every route that changes something is refused to a reader, and nothing is changed', async () => {
  const { api, verbs } = setUp();
  const before = JSON.stringify([...verbs.units]);
  for (const { kind, method, path, needs } of routes) {
    if (needs === 'observe') continue;
    const target = path.replace(':name', 'dockerd');
    const answer = await api.handle(request(method, target, { may: ['observe'] }));
    assert.equal(answer.status, 403, `${kind} ${path}`);
    assert.equal(errorOf(answer).code, 'FORBIDDEN');
  }
  assert.equal(JSON.stringify([...verbs.units]), before);
  assert.deepEqual(verbs.asked, {});
});

test('only GET and WebSocket routes are open to a reader', () => {
  const readable = routes.filter(({ needs }) => needs === 'observe');
  assert.ok(readable.every(({ method }) => method === 'GET'));
});

test('a route is found once: no two rows share method, path and kind', () => {
  const names = routes.map(({ method, path }) => `${method} ${path}`);
  assert.equal(new Set(names).size, names.length);
});

const hostile: readonly (readonly [string, string, string, number])[] = [
  ['an unknown path', 'GET', '/v1/nothing', 404],
  ['the root', 'GET', '/', 404],
  ['no path at all', 'GET', '', 404],
  ['an absolute form', 'GET', 'http://evil.example/v1/status', 404],
  ['an older version', 'GET', '/v0/status', 404],
  ['a trailing slash', 'GET', '/v1/status/', 404],
  ['a doubled slash', 'GET', '//v1/status', 404],
  ['a path that climbs', 'GET', '/v1/units/../status', 404],
  ['a unit that climbs, written plainly', 'POST', '/v1/units/../restart', 400],
  ['a unit that climbs, encoded', 'POST', '/v1/units/..%2f..%2fetc%2fpasswd/restart', 400],
  ['a unit with a NUL', 'POST', '/v1/units/docker%00d/restart', 400],
  ['a unit in broken encoding', 'POST', '/v1/units/%E0%A4%A/restart', 400],
  ['an empty unit', 'POST', '/v1/units//restart', 400],
  ['a unit of 10,000 letters', 'POST', `/v1/units/${'a'.repeat(10_000)}/restart`, 413],
  ['an unknown unit verb', 'POST', '/v1/units/dockerd/destroy', 404],
  ['a verb of the object prototype', 'POST', '/v1/units/dockerd/constructor', 404],
  ['a change by GET', 'GET', '/v1/units/dockerd/stop', 405],
  ['a look by POST', 'POST', '/v1/status', 405],
  ['a method that is none', 'BREW', '/v1/status', 405],
  ['a WebSocket route without upgrade', 'GET', '/v1/watch', 405],
  ['an unknown parameter', 'GET', '/v1/status?verbose=1', 400],
  ['a parameter given twice', 'GET', '/v1/logs?unit=dockerd&unit=edgecore', 400],
  ['a parameter of the object prototype', 'GET', '/v1/status?__proto__=1', 400],
  ['a log name that climbs', 'GET', '/v1/logs?unit=../../etc/shadow', 400],
  ['a log name with a slash', 'GET', '/v1/logs?unit=a%2Fb', 400],
  ['a negative count', 'GET', '/v1/logs?n=-1', 400],
  ['a count that is no number', 'GET', '/v1/logs?n=1e3', 400],
  ['a count beyond the bound', 'GET', '/v1/logs?n=10001', 400],
  ['an endless number', 'GET', `/v1/events?after=${'9'.repeat(40)}`, 400],
  ['an empty search', 'GET', '/v1/logs?grep=', 400],
  ['a search of 201 characters', 'GET', `/v1/logs?grep=${'x'.repeat(201)}`, 400],
  ['a huge query', 'GET', `/v1/logs?grep=${'x'.repeat(100_000)}`, 413],
];
for (const [name, method, target, status] of hostile) {
  test(`${name} is refused with ${status} and says why`, async () => {
    const { api, log } = setUp();
    const answer = await api.handle(request(method, target));
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.ok(errorOf(answer).message.length > 10 && errorOf(answer).message.length < 400);
    assert.deepEqual(log.lines, []);
  });
}

const badBodies: readonly (readonly [string, string])[] = [
  ['no JSON', '{"for":'],
  ['a list', '[]'],
  ['null', 'null'],
  ['a text', '"reboot"'],
  ['an unknown key', '{"for":"stop","force":true}'],
  ['a key of the object prototype', '{"__proto__":{"for":"stop"}}'],
  ['another reason', '{"for":"fun"}'],
  ['a deadline as text', '{"deadlineMs":"5"}'],
  ['a deadline below zero', '{"deadlineMs":-1}'],
  ['a deadline beyond the bound', '{"deadlineMs":600001}'],
  ['a fraction', '{"deadlineMs":1.5}'],
  ['a deep nest', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
];
for (const [name, body] of badBodies) {
  test(`a shutdown whose body is ${name} is refused and nothing is stopped`, async () => {
    const { api, verbs } = setUp();
    const answer = await api.handle(request('POST', '/v1/shutdown', { body }));
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    assert.equal(errorOf(answer).code, 'REQUEST_INVALID');
    assert.equal(verbs.asked.shutdown, undefined);
  });
}

test('all problems of a body are named at once with their paths', async () => {
  const { api } = setUp();
  const body = '{"for":"fun","deadlineMs":"5","now":1}';
  const { message } = errorOf(await api.handle(request('POST', '/v1/shutdown', { body })));
  assert.match(message, /for is "fun", want reboot or stop/);
  assert.match(message, /deadlineMs is "5", want a number/);
  assert.match(message, /now is not known/);
});

test('a body on a route that takes none is refused', async () => {
  const { api } = setUp();
  const answer = await api.handle(request('POST', '/v1/apply', { body: '{"now":true}' }));
  assert.equal(answer.status, 400);
});

test('a shutdown without a body stops within the default deadline', async () => {
  const { api, verbs } = setUp();
  await api.handle(request('POST', '/v1/shutdown'));
  assert.deepEqual(verbs.asked.shutdown, { for: 'stop', deadlineMs: 20_000 });
});

test('the parameters of the log become its query, and only the matching lines come', async () => {
  const { api, verbs } = setUp();
  verbs.print('dockerd', 'early', 1_000);
  verbs.print('dockerd', 'API listen on', 5_000);
  verbs.print('dockerd', 'other', 6_000);
  verbs.print('edgecore', 'API listen too', 7_000);
  const answer = await api.handle(request('GET', '/v1/logs?unit=dockerd&n=5&since=2000&grep=listen'));
  assert.deepEqual(answer.body, {
    lines: [{ atMs: 5_000, unit: 'dockerd', stream: 'out', text: 'API listen on' }],
    truncated: false,
  });
});

test('an answer of the log keeps the newest lines when all would be too much', async () => {
  const { api, verbs } = setUp();
  for (let number = 0; number < 1_000; number += 1) verbs.print('dockerd', `${number} ${'x'.repeat(4_000)}`);
  const { body } = await api.handle(request('GET', '/v1/logs?unit=dockerd&n=1000'));
  const { lines, truncated } = body as { lines: { text: string }[]; truncated: boolean };
  assert.equal(truncated, true);
  assert.match(lines.at(-1)?.text ?? '', /^999 /);
  assert.ok(JSON.stringify(lines).length < 2_000_000);
});

test('an error that is no AgentError is a bug: the asker learns nothing of it, the log everything', async () => {
  const { api, verbs, log } = setUp();
  verbs.failure = new TypeError('secret token abc');
  const answer = await api.handle(request('GET', '/v1/status'));
  assert.equal(answer.status, 500);
  assert.doesNotMatch(JSON.stringify(answer), /secret/);
  assert.equal(log.lines[0]?.event, 'api.request.failed');
  assert.equal(log.lines[0]?.fields['error'], 'secret token abc');
});

test('a refusal of the agent keeps its code, status and words', async () => {
  const { api, verbs } = setUp();
  verbs.failure = new AgentError('UNIT_REFUSED', 'Cannot undo: dockerd runs; stop it first');
  const answer = await api.handle(request('POST', '/v1/undo'));
  assert.deepEqual(answer, {
    status: 409,
    body: { error: { code: 'UNIT_REFUSED', message: 'Cannot undo: dockerd runs; stop it first' } },
  });
});

test('a question is given up when its asker has gone', async () => {
  const { api, verbs, log } = setUp();
  const asker = new AbortController();
  let open = (): void => undefined;
  verbs.gate = new Promise((resolve) => {
    open = resolve;
  });
  const answer = api.handle(request('GET', '/v1/plan', { signal: asker.signal }));
  asker.abort();
  open();
  assert.equal((await answer).status, 504);
  assert.deepEqual(log.lines, []);
});

test('a change goes on to its end although its asker has gone', async () => {
  const { api, verbs } = setUp();
  verbs.steps = [{ id: 'a', kind: 'mount', what: 'mount /run', why: 'dockerd writes there' }];
  const asker = new AbortController();
  asker.abort();
  const answer = await api.handle(request('POST', '/v1/apply', { signal: asker.signal }));
  assert.equal(answer.status, 200);
  assert.deepEqual(verbs.steps, []);
});
