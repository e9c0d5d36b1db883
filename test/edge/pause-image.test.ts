import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramFacts, Programs } from '../../agent/core/program.ts';
import { edgePlaces } from '../../agent/edge/edge-places.ts';
import { PauseImage, type PauseWishes } from '../../agent/edge/pause-image.ts';
import { FakeCommands } from '../fakes/fake-commands.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const places = edgePlaces({ home: '/data', product: '/product', busybox: '/b', dockerBinDir: '/d' });
const calm = new AbortController().signal;
const cri: PauseWishes = {
  runtime: { kind: 'cri', endpoint: `unix://${places.containerdSocket}` },
  sandboxImage: 'kubeedge/pause:3.6',
};
const docker: PauseWishes = {
  runtime: { kind: 'docker', endpoint: 'unix:///run/docker.sock' },
  sandboxImage: 'kubeedge/pause:3.1',
};
const ctr = `/d/ctr -a ${places.containerdSocket} -n k8s.io images`;
const load = `/d/docker -H unix://${places.dockerSocket}`;

class Importer {
  readonly commands = new FakeCommands();
  readonly log = new QuietLog();
  archive: ProgramFacts = { kind: 'file', isExecutable: false, fingerprint: '1' };
  readonly programs: Programs = {
    machine: 183,
    inspect: (path) =>
      Promise.resolve(
        path === places.pauseArchive ? this.archive : { kind: 'file', isExecutable: true, fingerprint: path },
      ),
  };
  readonly image = new PauseImage({ ...this, places, env: () => ({ PATH: '/usr/bin' }) });
}

test("the image gets the name that containerd's configuration asks for", async () => {
  for (const line of [
    '    sandbox_image = "registry.k8s.io/pause:3.6"',
    "      sandbox = 'registry.k8s.io/pause:3.10'",
  ]) {
    const { commands, image, log } = new Importer();
    const wanted = /["'](.*)["']/.exec(line)?.[1] ?? '';
    commands.outputs.set(
      `${ctr} import /product/pause.tar`,
      'unpacking docker.io/x/pause:1 (sha256:ab)...done\n',
    );
    commands.outputs.set('/d/containerd config default', `[plugins]\n    sandboxer = ""\n${line}\n`);
    commands.outputs.set(`${ctr} tag --force docker.io/x/pause:1 ${wanted}`, `${wanted}\n`);
    await image.ensure(cri, calm);
    assert.deepEqual(commands.calls.length, 3, JSON.stringify(log.lines));
    await image.ensure(cri, calm);
    assert.equal(commands.calls.length, 3, 'once for each archive');
  }
});

test('an archive that has the name already is not named again', async () => {
  const { commands, image } = new Importer();
  const said = 'unpacking registry.k8s.io/pause:3.6 (sha256:ab)...done\n';
  commands.outputs.set(`${ctr} import /product/pause.tar`, said);
  commands.outputs.set('/d/containerd config default', 'sandbox_image = "registry.k8s.io/pause:3.6"\n');
  await image.ensure(cri, calm);
  assert.equal(commands.calls.length, 2);
});

test('for docker it gets the name of edgecore.yaml', async () => {
  const { commands, image } = new Importer();
  commands.outputs.set(`${load} load -i /product/pause.tar`, 'Loaded image: x/pause:1\n');
  commands.outputs.set(`${load} tag x/pause:1 kubeedge/pause:3.1`, '');
  await image.ensure(docker, calm);
  assert.equal(commands.calls.length, 2);
});

test("without an archive, or with a runtime of the operator's own, nothing is done", async () => {
  const importer = new Importer();
  await importer.image.ensure({ ...cri, runtime: { kind: 'cri', endpoint: 'unix:///run/my.sock' } }, calm);
  importer.archive = { kind: 'absent' };
  await importer.image.ensure(docker, calm);
  assert.deepEqual(importer.commands.calls, []);
});

test('an import that fails is logged and tried again at the next start', async () => {
  const { commands, image, log } = new Importer();
  await image.ensure(docker, calm);
  await image.ensure(docker, calm);
  assert.equal(commands.calls.length, 2);
  assert.match(JSON.stringify(log.lines), /pause-image-failed/);
});
