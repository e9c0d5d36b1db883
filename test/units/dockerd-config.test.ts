import assert from 'node:assert/strict';
import { test } from 'node:test';
import { daemonConfig } from '../../agent/units/dockerd-config.ts';
import { places, settings } from './dockerd-rig.ts';

test('the containerd of dockerd serves CRI where edgecore asks it for pods, and not otherwise', () => {
  const wanted = daemonConfig(settings, places, { major: 20, dns: [], isCriWanted: true });
  assert.equal(JSON.parse(wanted.text)['cri-containerd'], true);
  const unwanted = daemonConfig(settings, places, { major: 20, dns: [] });
  assert.equal('cri-containerd' in JSON.parse(unwanted.text), false);
});
