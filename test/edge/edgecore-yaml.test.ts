import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { minorOfDefaults } from '../../agent/edge/compatibility.ts';
import {
  type ConfigSources,
  makeConfig,
  type NewConfig,
  parseEdgecoreConfig,
} from '../../agent/edge/edgecore-yaml.ts';
import { mergeThreeWay } from '../../agent/edge/merge.ts';
import { isSame, isTree, type Tree, valueAt } from '../../agent/edge/tree.ts';
import { type EdgeSettings, wantedValues } from '../../agent/edge/wanted-values.ts';
import { defaultsText, parsed, release, settings } from './samples.ts';

const minors = Array.from({ length: 14 }, (_, index) => index + 10);

function fresh(
  version: string,
  over: Partial<EdgeSettings> = {},
  sources: Partial<ConfigSources> = {},
): NewConfig {
  const chosen = release(version);
  return makeConfig({
    defaults: parsed(defaultsText(chosen.minor)),
    release: chosen,
    wanted: wantedValues(chosen, { ...settings, ...over }),
    base: undefined,
    current: undefined,
    token: undefined,
    ...sources,
  });
}

const at = (config: NewConfig, ...path: readonly string[]) => valueAt(parsed(config.text).tree, path);
const edged = (config: NewConfig, ...path: readonly string[]) => at(config, 'modules', 'edged', ...path);

test('every release line from 1.10 to 1.23 gets a file with its own form', () => {
  for (const minor of minors) {
    const config = fresh(
      `v1.${minor}.1`,
      minor < 13 ? { runtime: { kind: 'docker', endpoint: 'unix:///run/docker.sock' } } : {},
    );
    const form = minor < 12 ? 'v1alpha1' : 'v1alpha2';
    assert.equal(at(config, 'apiVersion'), `edgecore.config.kubeedge.io/${form}`);
    assert.equal(edged(config, 'hostnameOverride'), 'board-1');
    assert.equal(at(config, 'modules', 'edgeHub', 'httpServer'), 'https://10.0.0.5:10002');
    assert.equal(at(config, 'modules', 'edgeHub', 'websocket', 'server'), '10.0.0.5:10000');
    assert.equal(at(config, 'modules', 'eventBus', 'mqttMode'), 0);
    assert.equal(at(config, 'edgecoreVersion'), minor >= 21 ? `v1.${minor}.1` : undefined);
    assert.equal(edged(config, minor < 12 ? 'labels' : 'nodeLabels', 'room'), 'lab');
    const driver = minor < 12 ? ['cgroupDriver'] : ['tailoredKubeletConfig', 'cgroupDriver'];
    assert.equal(edged(config, ...driver), 'cgroupfs');
    assert.equal(at(config, 'modules', 'edgeHub', 'token'), '');
  }
});

test('the endpoint of the runtime stands where the release reads it', () => {
  const endpoint = settings.runtime.endpoint;
  const tailored = ['tailoredKubeletConfig', 'containerRuntimeEndpoint'];
  assert.equal(edged(fresh('v1.12.6'), 'remoteRuntimeEndpoint'), endpoint);
  assert.equal(edged(fresh('v1.12.6'), 'containerRuntime'), 'remote');
  assert.equal(edged(fresh('v1.15.2'), 'remoteRuntimeEndpoint'), endpoint);
  assert.equal(edged(fresh('v1.15.2'), ...tailored), undefined);
  const images = ['tailoredKubeletConfig', 'imageServiceEndpoint'];
  for (const version of ['v1.16.4', 'v1.18.2', 'v1.22.2', 'v1.23.1'])
    assert.equal(edged(fresh(version), ...images), endpoint, version);
  assert.equal(edged(fresh('v1.15.2'), ...images), undefined);
  assert.equal(edged(fresh('v1.17.4'), ...tailored), endpoint);
  assert.equal(edged(fresh('v1.17.4'), 'remoteRuntimeEndpoint'), endpoint);
  assert.equal(edged(fresh('v1.18.2'), ...tailored), endpoint);
  assert.equal(edged(fresh('v1.18.2'), 'remoteRuntimeEndpoint'), undefined);
  const docker = fresh('v1.13.4', { runtime: { kind: 'docker', endpoint: 'unix:///run/docker.sock' } });
  assert.equal(edged(docker, 'containerRuntime'), 'docker');
  assert.equal(edged(docker, 'dockerEndpoint'), 'unix:///run/docker.sock');
});

test('taints go where the release reads them', () => {
  const taints = [{ key: 'edge', effect: 'NoSchedule' as const }];
  assert.deepEqual(edged(fresh('v1.11.2', { taints }), 'taints'), taints);
  assert.deepEqual(edged(fresh('v1.12.6', { taints }), 'registerWithTaints'), taints);
  assert.deepEqual(
    edged(fresh('v1.18.2', { taints }), 'tailoredKubeletConfig', 'registerWithTaints'),
    taints,
  );
});

test('an IPv6 cloud stands in brackets', () => {
  const config = fresh('v1.22.1', { cloud: { host: 'fd00::1', hubPort: 10_000, enrolPort: 10_002 } });
  assert.equal(at(config, 'modules', 'edgeHub', 'websocket', 'server'), '[fd00::1]:10000');
  assert.equal(at(config, 'modules', 'edgeHub', 'httpServer'), 'https://[fd00::1]:10002');
});

test('the release line is told from what --defaultconfig prints', () => {
  for (const minor of minors) {
    const wanted = minor === 10 ? 11 : minor;
    assert.equal(minorOfDefaults(parsed(defaultsText(minor)).tree), wanted, `1.${minor}`);
  }
  assert.equal(minorOfDefaults({ apiVersion: 'v1' }), undefined);
});

test('making the file twice changes nothing', () => {
  for (const minor of minors) {
    const first = fresh(`v1.${minor}.0`);
    const current = parsed(first.text);
    const base = { tree: first.base, release: release(`v1.${minor}.0`) };
    const second = fresh(`v1.${minor}.0`, {}, { current, base });
    assert.equal(second.isChanged, false, `1.${minor}`);
    assert.equal(second.text, first.text);
    assert.deepEqual(second.kept, []);
  }
});

test("the operator's changes and comments stay, ours follow", () => {
  const first = fresh('v1.22.1');
  const edited = first.text
    .replace('heartbeat: 15', 'heartbeat: 30 # slow link')
    .replace('maxPods: 110', 'maxPods: 10')
    .replace('mqttMode: 0', 'mqttMode: 2');
  const config = fresh(
    'v1.22.1',
    { nodeIp: '10.0.0.77' },
    { current: parsed(edited), base: { tree: first.base, release: release('v1.22.1') } },
  );
  assert.equal(at(config, 'modules', 'edgeHub', 'heartbeat'), 30);
  assert.equal(edged(config, 'tailoredKubeletConfig', 'maxPods'), 10);
  assert.equal(at(config, 'modules', 'eventBus', 'mqttMode'), 2);
  assert.equal(edged(config, 'nodeIP'), '10.0.0.77');
  assert.match(config.text, /heartbeat: 30 # slow link/);
  assert.deepEqual([...config.kept].sort(), [
    'modules.edgeHub.heartbeat',
    'modules.edged.tailoredKubeletConfig.maxPods',
    'modules.eventBus.mqttMode',
  ]);
});

test('identity and address follow the order to join, whatever the file says', () => {
  const first = fresh('v1.22.1');
  const edited = first.text.replace('hostnameOverride: board-1', 'hostnameOverride: other');
  const base = { tree: first.base, release: release('v1.22.1') };
  assert.equal(edged(fresh('v1.22.1', {}, { current: parsed(edited), base }), 'hostnameOverride'), 'board-1');
});

test('an upgrade takes new defaults, moves what moved and keeps what the operator changed', () => {
  const first = fresh('v1.11.2', { runtime: { kind: 'docker', endpoint: 'unix:///run/docker.sock' } });
  const edited = first.text.replace('imageGCHighThreshold: 80', 'imageGCHighThreshold: 70');
  const config = fresh(
    'v1.15.2',
    {},
    { current: parsed(edited), base: { tree: first.base, release: release('v1.11.2') } },
  );
  assert.equal(at(config, 'apiVersion'), 'edgecore.config.kubeedge.io/v1alpha2');
  assert.equal(edged(config, 'tailoredKubeletConfig', 'imageGCHighThresholdPercent'), 70);
  assert.equal(edged(config, 'imageGCHighThreshold'), undefined);
  assert.equal(edged(config, 'containerRuntime'), 'remote');
  assert.equal(edged(config, 'remoteRuntimeEndpoint'), settings.runtime.endpoint);
});

test('an endpoint that the operator set is found again at its new place', () => {
  const first = fresh('v1.15.2');
  const mine = 'unix:///run/mine.sock';
  const edited = first.text.replaceAll(settings.runtime.endpoint, mine);
  const base = { tree: first.base, release: release('v1.15.2') };
  const config = fresh('v1.22.1', {}, { current: parsed(edited), base });
  assert.equal(edged(config, 'tailoredKubeletConfig', 'containerRuntimeEndpoint'), mine);
});

test('a file that somebody else made is kept but for identity and addresses', () => {
  const theirs = defaultsText(22)
    .replace('mqttMode: 2', 'mqttMode: 1')
    .replace('heartbeat: 15', 'heartbeat: 20');
  const config = fresh('v1.22.1', {}, { current: parsed(theirs) });
  assert.equal(at(config, 'modules', 'edgeHub', 'heartbeat'), 20);
  assert.equal(at(config, 'modules', 'eventBus', 'mqttMode'), 1);
  assert.equal(edged(config, 'hostnameOverride'), 'board-1');
});

test('a file that edgecore itself wrote back loses its token and nothing else', () => {
  const first = fresh('v1.22.1');
  const rewritten = first.text
    .replace("token: ''", 'token: abc')
    .replace('token: ""', 'token: abc')
    .replace(/^#.*\n/gm, '');
  const base = { tree: first.base, release: release('v1.22.1') };
  const config = fresh('v1.22.1', {}, { current: parsed(rewritten), base });
  assert.equal(at(config, 'modules', 'edgeHub', 'token'), '');
  assert.deepEqual(config.kept, []);
});

test('a token stands in the file only where it is asked for, and never in the base', () => {
  const config = fresh('v1.12.6', {}, { token: 'TOKEN' });
  assert.equal(at(config, 'modules', 'edgeHub', 'token'), 'TOKEN');
  assert.ok(!JSON.stringify(config.base).includes('TOKEN'));
});

test('nonsense is named with its line and never thrown', () => {
  const problem = (text: string) => {
    const result = parseEdgecoreConfig(text);
    return result.ok ? '' : result.problem;
  };
  assert.match(problem('modules:\n  edged: [1, 2\nx: y: z\n'), /is no YAML at line \d/);
  assert.match(problem('just words'), /no mapping/);
  assert.match(problem(''), /no mapping/);
  assert.match(problem('a: 1'), /no "modules"/);
  assert.match(problem('modules:\n  edged:\n    hostnameOverr'), /no mapping at "modules.edged"/);
  assert.match(problem(`a: ${'x'.repeat(300_000)}`), /characters, want at most/);
  assert.match(problem('a: &a [1]\nmodules: {b: *a}\n'), /cannot be read/);
  fc.assert(fc.property(fc.string(), (text) => typeof parseEdgecoreConfig(text).ok === 'boolean'));
});

const scalar = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('a', 'b'), fc.boolean());
const { tree: anyTree } = fc.letrec<{ tree: Tree; value: unknown }>((tie) => ({
  tree: fc.dictionary(fc.constantFrom('p', 'q', 'r', '__proto__'), tie('value'), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
  value: fc.oneof({ depthSize: 'small' }, scalar, fc.array(scalar, { maxLength: 2 }), tie('tree')),
}));

test('three-way merge: nobody changed anything gives ours', () => {
  fc.assert(
    fc.property(anyTree, anyTree, (base, ours) => isSame(mergeThreeWay({ base, theirs: base, ours }), ours)),
  );
});

test('three-way merge: we changed nothing gives theirs, and ours where they say nothing', () => {
  fc.assert(
    fc.property(anyTree, anyTree, (base, theirs) => {
      const merged = mergeThreeWay({ base, theirs, ours: base });
      return Object.keys(theirs).every((name) => isTree(theirs[name]) || isSame(merged[name], theirs[name]));
    }),
  );
});

test('three-way merge: a file that was cut short anywhere loses no value of ours', () => {
  fc.assert(
    fc.property(anyTree, anyTree, (base, ours) => {
      const merged = mergeThreeWay({ base, theirs: {}, ours });
      return isSame(merged, ours);
    }),
  );
});

test('three-way merge: merging its result again changes nothing', () => {
  fc.assert(
    fc.property(anyTree, anyTree, anyTree, (base, theirs, ours) => {
      const merged = mergeThreeWay({ base, theirs, ours });
      return isSame(mergeThreeWay({ base: ours, theirs: merged, ours }), merged);
    }),
  );
});

test('three-way merge: a value that both sides changed alike is that value', () => {
  fc.assert(
    fc.property(anyTree, anyTree, (base, ours) => isSame(mergeThreeWay({ base, theirs: ours, ours }), ours)),
  );
});

test('the written text says exactly the merged tree, whatever the operator did', () => {
  const first = fresh('v1.22.1');
  const base = { tree: first.base, release: release('v1.22.1') };
  fc.assert(
    fc.property(anyTree, (extra) => {
      const { document } = parsed(first.text);
      document.set('extra', extra);
      const config = fresh('v1.22.1', {}, { current: parsed(document.toString()), base });
      return isSame(valueAt(parsed(config.text).tree, ['extra']), extra);
    }),
    { numRuns: 50 },
  );
});
