import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergeConfigs, parseConfig, type Setting } from '../../agent/kernel/config-text.ts';
import { checkKernel, type KernelReport, lackingOptions } from '../../agent/kernel/kernel-check.ts';
import { defaultFeatures, type Feature, features } from '../../agent/kernel/kernel-option.ts';
import { kernelOptions } from '../../agent/kernel/option-table.ts';
import { optionResolver } from '../../agent/kernel/resolve-option.ts';
import { fragmentFor, printFragment } from '../../scripts/kconfig/fragment.ts';
import { configOf, stockKernels, stockText } from './stock-kernels.ts';

const layers = { kernel: '6.6', isWhole: false } as const;

function verdictOf(report: KernelReport, name: string) {
  const option = report.options.find((entry) => entry.name === name);
  assert.ok(option, `${name} was not asked for`);
  return option;
}

function checkAll(config: ReadonlyMap<string, Setting>, chosen: readonly Feature[] = defaultFeatures) {
  return checkKernel(config, { ...layers, features: chosen });
}

const minimum = [
  'BRIDGE',
  'BRIDGE_NETFILTER',
  'IP_NF_TARGET_MASQUERADE',
  'NETFILTER_XT_MATCH_ADDRTYPE',
  'OVERLAY_FS',
  'POSIX_MQUEUE',
  'VETH',
];

for (const kernel of stockKernels()) {
  test(`a stock RK3568 kernel of OpenHarmony ${kernel.release} lacks exactly what is known to be missing`, () => {
    const { config } = mergeConfigs([parseConfig(stockText(kernel), 'stock')]);
    const report = checkKernel(config, { features: defaultFeatures, kernel: kernel.kernel, isWhole: false });
    const required = lackingOptions(report, 'required').map(({ name }) => name);
    const expected = kernel.release === '3.2' ? [...minimum, 'CGROUP_PIDS'] : minimum;
    assert.deepEqual(required.sort(), [...expected].sort());
    assert.equal(report.refusesModules, kernel.release !== '3.2');
  });
}

test('IPv6 is a feature of its own and asks for its own tables', () => {
  const stock = stockKernels().find(({ release }) => release === '6.0');
  assert.ok(stock);
  const { config } = mergeConfigs([parseConfig(stockText(stock), 'stock')]);
  const lacking = lackingOptions(checkAll(config, ['ipv6']), 'required').map(({ name }) => name);
  assert.deepEqual(lacking.sort(), ['IP6_NF_RAW', 'IP6_NF_TARGET_MASQUERADE']);
});

test('an option that Kconfig would drop because its parent is off is dropped, and the parent is lacking', () => {
  const report = checkAll(configOf({ NET: 'y', NETDEVICES: 'y', NET_CORE: 'n', VETH: 'y' }), ['bridge']);
  const veth = verdictOf(report, 'VETH');
  assert.equal(veth.verdict, 'dropped');
  assert.deepEqual(veth.parentsOff, ['NET_CORE']);
  const parent = verdictOf(report, 'NET_CORE');
  assert.equal(parent.verdict, 'missing');
  assert.equal(parent.level, 'required');
  assert.deepEqual(parent.parentOf, ['VETH']);
});

test('a default that Kconfig takes counts where layers are merged and not in a whole configuration', () => {
  const config = configOf({ NET: 'y', NETDEVICES: 'y', VETH: 'y' });
  assert.equal(optionResolver(config, false)('VETH'), 'y');
  assert.equal(optionResolver(config, true)('VETH'), 'n');
});

test('an option that another one selects is on although a layer switches it off', () => {
  const on = { NET: 'y', INET: 'y', NETFILTER: 'y', IP_NF_IPTABLES: 'y', NETFILTER_XT_TARGET_MARK: 'y' };
  assert.equal(optionResolver(configOf({ ...on, NETFILTER_XT_MARK: 'n' }), false)('NETFILTER_XT_MARK'), 'y');
});

test('a module is fine where modules load, refused where they must be signed, and refused where there are none', () => {
  const config = { NET: 'y', NETDEVICES: 'y', NET_CORE: 'y', VETH: 'm' };
  const verdict = (more: Record<string, string>) =>
    verdictOf(checkAll(configOf({ ...config, ...more }), ['bridge']), 'VETH').verdict;
  assert.equal(verdict({ MODULES: 'y' }), 'module');
  assert.equal(verdict({ MODULES: 'y', MODULE_SIG_FORCE: 'y' }), 'refused');
  assert.equal(verdict({}), 'refused');
});

test('an option that does harm is unwanted while it is on', () => {
  const on = { CGROUPS: 'y', CGROUP_SCHED: 'y', RT_GROUP_SCHED: 'y' };
  assert.equal(verdictOf(checkAll(configOf(on), ['docker']), 'RT_GROUP_SCHED').verdict, 'unwanted');
  assert.equal(verdictOf(checkAll(configOf({}), ['docker']), 'RT_GROUP_SCHED').verdict, 'ok');
});

test('an option with a stand-in that is on is no loss', () => {
  const on = { EXT4_FS: 'y', EXT4_USE_FOR_EXT2: 'y' };
  assert.equal(verdictOf(checkAll(configOf(on), ['overlay2']), 'EXT3_FS').verdict, 'replaced');
});

test('only options of the asked kernel are asked for', () => {
  const asked = (kernel: string) =>
    checkKernel(configOf({}), { features: ['bridge', 'cgroup-v2'], kernel, isWhole: true }).options.map(
      ({ name }) => name,
    );
  assert.ok(asked('4.19').includes('NF_NAT_IPV4'));
  assert.ok(!asked('5.10').includes('NF_NAT_IPV4'));
  assert.ok(!asked('4.14').includes('CGROUP_BPF'));
});

const anyConfig = fc
  .dictionary(fc.constantFrom(...kernelOptions.map(({ name }) => name)), fc.constantFrom('y', 'm', 'n'), {
    noNullPrototype: true,
  })
  .map(configOf);
const anyFeatures = fc.subarray(Object.keys(features) as Feature[], { minLength: 1 });
const anyKernel = fc.constantFrom('4.19', '5.10', '6.6');

function withFragment(config: ReadonlyMap<string, Setting>, text: string): ReadonlyMap<string, Setting> {
  if (text === '') return config;
  const file = parseConfig(text, 'fragment');
  return new Map([...config, ...mergeConfigs([file]).config]);
}

test('a fragment laid over any configuration leaves nothing lacking, and asked again it is empty', () => {
  fc.assert(
    fc.property(anyConfig, anyFeatures, anyKernel, (config, chosen, kernel) => {
      const request = { features: chosen, kernel, isWhole: false };
      const entries = fragmentFor(config, checkKernel(config, request), false, 'optional');
      const current = withFragment(config, printFragment(entries));
      const after = checkKernel(current, request);
      assert.deepEqual(
        lackingOptions(after).map(({ name }) => name),
        [],
      );
      assert.deepEqual(fragmentFor(current, after, false, 'optional'), []);
    }),
    { numRuns: 500 },
  );
});

test('switching an option on never switches another one off', () => {
  const rank = ['n', 'm', 'y'];
  fc.assert(
    fc.property(anyConfig, fc.constantFrom(...kernelOptions), (config, option) => {
      const before = optionResolver(config, false);
      const after = optionResolver(
        new Map([...config, [option.name, { value: 'y', source: 'test', line: 1 }]]),
        false,
      );
      for (const { name } of kernelOptions) {
        assert.ok(rank.indexOf(after(name)) >= rank.indexOf(before(name)), name);
      }
    }),
  );
});
