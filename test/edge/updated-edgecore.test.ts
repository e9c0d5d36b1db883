import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parseRelease } from '../../agent/edge/release.ts';
import { ReleaseFinder } from '../../agent/edge/release-finder.ts';
import { FakeCommands } from '../fakes/fake-commands.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { FakePrograms } from '../fakes/fake-programs.ts';
import { bundleEdgecore } from '../standins/bundle.ts';
import { EdgeRig } from './edge-rig.ts';
import { defaultsText } from './samples.ts';

const configured = '/system/kubeedge/edgecore';
const updated = '/data/parts/edgecore/current/edgecore';

test('an updated edgecore wins over the configured one, and the release that was named for that', async () => {
  const [programs, commands, files] = [new FakePrograms(), new FakeCommands(), new FakeDisk()];
  const finder = new ReleaseFinder({
    programs,
    commands,
    files,
    text: { find: () => Promise.resolve(undefined) },
    logs: { lines: async function* () {} },
    places: { edgecorePart: updated },
  });
  programs.put(configured);
  commands.outputs.set(`${configured} --defaultconfig`, defaultsText(12));
  const named = parseRelease('v1.12.6', 'operator');
  const before = await finder.find(configured, named);
  assert.ok(before.ok);
  assert.deepEqual([before.path, before.release.text], [configured, 'v1.12.6']);
  programs.put(updated);
  commands.outputs.set(`${updated} --defaultconfig`, defaultsText(22));
  files.files.set('/data/parts/edgecore/current/version', 'v1.22.1\n');
  const after = await finder.find(configured, named);
  assert.ok(after.ok, JSON.stringify(after));
  assert.deepEqual([after.path, after.release.text], [updated, 'v1.22.1']);
});

test('a release that was named for a join does not outlive a newer image, and one that is named now must be right', async () => {
  const [programs, commands, files] = [new FakePrograms(), new FakeCommands(), new FakeDisk()];
  const text = { find: () => Promise.resolve(undefined) };
  const logs = { lines: async function* () {} };
  const finder = new ReleaseFinder({
    programs,
    commands,
    files,
    text,
    logs,
    places: { edgecorePart: updated },
  });
  programs.put(configured);
  commands.outputs.set(`${configured} --defaultconfig`, defaultsText(22));
  const release = async (named: string, source: 'operator' | 'record') => {
    const found = await finder.find(configured, parseRelease(named, source));
    return found.ok ? found.release.text : found.fault.reason;
  };
  assert.equal(await release('v1.22.1', 'record'), 'v1.22.1');
  assert.equal(await release('v1.12.6', 'record'), 'v1.22');
  assert.equal(await release('v1.12.6', 'operator'), 'ReleaseMismatch');
  files.files.set('/system/kubeedge/version', 'v1.22.2\n');
  assert.equal(await release('v1.22.0', 'record'), 'v1.22.2');
  assert.equal(await release('v1.22.0', 'operator'), 'v1.22.0');
});

test('edgecore that is updated is what the next start runs, with a configuration for its release', async () => {
  await using rig = await EdgeRig.build('1.21.0');
  const { edge, supervisor } = await rig.startAgent();
  await edge.join(rig.order(), new AbortController().signal);
  assert.equal((await rig.yaml()).edgecoreVersion, 'v1.21.0');
  const part = path.join(rig.home, 'data/parts/edgecore');
  await mkdir(part, { recursive: true });
  const program = await bundleEdgecore(`${part}/1.22.1`, { node: process.execPath, version: '1.22.1' });
  await symlink(path.relative(part, path.dirname(program)), `${part}/current`);
  const before = supervisor.status()[0]?.pid;
  supervisor.restartUnit('edgecore');
  await rig.until(supervisor, ({ phase, pid }) => phase === 'ready' && pid !== before);
  assert.equal((await rig.yaml()).edgecoreVersion, 'v1.22.1');
});
