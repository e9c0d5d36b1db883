import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { joinHostPort, parseCloudAddress } from '../../agent/edge/cloud-address.ts';
import { nodeNameProblem } from '../../agent/edge/node-name.ts';
import { isKnownRelease, parseRelease, programPattern, releaseOfLine } from '../../agent/edge/release.ts';

const address = (text: string) => {
  const result = parseCloudAddress(text);
  return result.ok ? result.address : undefined;
};

const problem = (text: string): string => {
  const result = parseCloudAddress(text);
  return result.ok ? '' : result.problem;
};

test('host and port of cloudcore in every spelling', () => {
  const ports = { hubPort: 10_000, enrolPort: 10_002 };
  assert.deepEqual(address('cloud.example'), { host: 'cloud.example', ...ports });
  assert.deepEqual(address('10.0.0.5:30000'), { host: '10.0.0.5', hubPort: 30_000, enrolPort: 10_002 });
  assert.deepEqual(address('[fd00::1]:10000'), { host: 'fd00::1', ...ports });
  assert.deepEqual(address('[fd00::1]'), { host: 'fd00::1', ...ports });
  assert.deepEqual(address('fd00::1'), { host: 'fd00::1', ...ports });
  assert.equal(joinHostPort('fd00::1', 10_000), '[fd00::1]:10000');
});

test('an address that cannot be one says why', () => {
  assert.match(problem(''), /is empty/);
  assert.match(problem('https://cloud:10000'), /is a URL/);
  assert.match(problem('cloud:99999'), /has port 99999/);
  assert.match(problem('cloud:10002'), /the one for certificates/);
  assert.match(problem('cloud:http'), /is no HOST:PORT/);
  assert.match(problem('-cloud'), /no valid host name/);
  assert.match(problem('10.0.0.999'), /no valid host name/);
  assert.match(problem('[cloud]:10000'), /is no HOST:PORT/);
});

test('a node name is a DNS name that tells boards apart', () => {
  assert.equal(nodeNameProblem('board-17.lab'), undefined);
  assert.match(nodeNameProblem('localhost') ?? '', /every board/);
  assert.match(nodeNameProblem('OpenHarmony') ?? '', /every board/);
  assert.match(nodeNameProblem('Board-17') ?? '', /capitals; use "board-17"/);
  assert.match(nodeNameProblem('board_17') ?? '', /no DNS name/);
  assert.match(nodeNameProblem('-board') ?? '', /no DNS name/);
  assert.match(nodeNameProblem('') ?? '', /is empty/);
  assert.match(nodeNameProblem('a'.repeat(254)) ?? '', /254 characters/);
});

test('no text breaks the parsers of names and addresses', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      nodeNameProblem(text);
      return typeof parseCloudAddress(text).ok === 'boolean';
    }),
  );
});

test('a release is read from a version file, a log line and the text of a program', () => {
  assert.deepEqual(parseRelease('v1.22.1\n', 'version-file'), {
    minor: 22,
    patch: 1,
    text: 'v1.22.1',
    source: 'version-file',
  });
  assert.equal(parseRelease('1.23.0-beta.0', 'operator')?.text, 'v1.23.0-beta.0');
  assert.equal(parseRelease('v1.22', 'operator')?.patch, undefined);
  assert.equal(parseRelease('2.0.0', 'operator'), undefined);
  assert.equal(parseRelease('latest', 'operator'), undefined);
  assert.equal(releaseOfLine('I0823 12:34:56.7 1 server.go:102] Version: v1.12.6')?.text, 'v1.12.6');
  assert.equal(releaseOfLine('GitVersion: something'), undefined);
  const flags = '-X github.com/kubeedge/kubeedge/pkg/version.gitVersion=v1.13.4 -X a.b=c';
  assert.equal(programPattern.exec(flags)?.[1], 'v1.13.4');
  assert.equal(isKnownRelease({ minor: 9, patch: 1, text: '', source: 'log' }), false);
  assert.equal(isKnownRelease({ minor: 23, patch: 1, text: '', source: 'log' }), true);
});
