import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseProcessList } from '../../scripts/cfg/build-check.ts';
import { cfgForRelease } from '../../scripts/cfg/cfg-for-release.ts';
import { checkCfg, loadCfg, outcomeOf } from '../../scripts/cfg/check-cfg.ts';
import { releases } from '../../scripts/cfg/release.ts';

const folder = 'sysroot-overlay/system/etc/init';
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.cfg')) : [];
const skip = files.length === 0 && 'the overlay has no init cfg yet';
const since32 = releases.filter((release) => release !== '3.1');

test('our own cfg is clean from 3.2 on: no error, no warning, and the build accepts it once it is listed', {
  skip,
}, async () => {
  const list = parseProcessList(
    '{"high_privilege_process_list":[{"name":"oh_edge_agent","uid":"root"}]}',
    'list',
  );
  for (const file of files) {
    const findings = checkCfg(await loadCfg(path.join(folder, file), list), since32);
    assert.deepEqual(
      findings.filter(({ severity }) => severity !== 'hint').map(({ rule, path: at }) => `${rule} ${at}`),
      [],
    );
  }
});

test('our own service is whole, starts by itself and has its orderly stop in every release from 3.2 on', {
  skip,
}, async () => {
  for (const release of since32) {
    const { services, jobs } = outcomeOf(await loadCfg(path.join(folder, 'oh_edge_agent.cfg')), release);
    const service = services.find(({ name }) => name === 'oh_edge_agent');
    assert.equal(service?.state, 'whole', release);
    assert.equal(service?.startMode, 'normal');
    const stop = jobs.find(({ name }) => name === service?.jobs['on-stop']);
    assert.ok(
      stop?.commands.every(({ does }) => does === 'runs'),
      release,
    );
    assert.ok((stop?.commands.length ?? 0) > 0);
  }
});

test('for 3.1 our cfg is adapted: nothing refused, and init still waits for the orderly stop', {
  skip,
}, async () => {
  const whole = await loadCfg(path.join(folder, 'oh_edge_agent.cfg'));
  assert.ok(checkCfg(whole, ['3.1']).some(({ severity }) => severity === 'error'));
  const text = cfgForRelease(whole.text, '3.1');
  const source = { path: 'adapted.cfg', text, bytes: Buffer.byteLength(text) };
  assert.deepEqual(
    checkCfg(source, ['3.1']).filter(({ severity }) => severity !== 'hint'),
    [],
  );
  const { services, jobs } = outcomeOf(source, '3.1');
  assert.deepEqual(
    services.map(({ name, state, startMode }) => [name, state, startMode]),
    [['oh_edge_agent', 'whole', 'normal']],
  );
  const stop = jobs.find(({ name }) => name === services[0]?.jobs['on-stop']);
  assert.deepEqual(
    stop?.commands.map(({ words }) => words.join(' ')),
    [
      '/data/oh-edge-agent/run/stopped',
      '/system/bin/sh /system/opt/oh-edge-agent/stop.sh',
      ...Array.from({ length: 4 }, () => '/data/oh-edge-agent/run/stopped 5'),
    ],
  );
  const script = readFileSync('sysroot-overlay/system/opt/oh-edge-agent/stop.sh', 'utf8');
  assert.match(script, /^: >\/data\/oh-edge-agent\/run\/stopped$/m);
});

test('releases that take our cfg as it is get it as it is', { skip }, async () => {
  const { text } = await loadCfg(path.join(folder, 'oh_edge_agent.cfg'));
  for (const release of since32) assert.equal(cfgForRelease(text, release), text, release);
});
