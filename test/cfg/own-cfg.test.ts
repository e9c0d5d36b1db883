import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseProcessList } from '../../scripts/cfg/build-check.ts';
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
