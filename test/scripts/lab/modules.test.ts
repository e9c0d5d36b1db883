import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boardModules,
  type ModuleEntry,
  moduleName,
  modulesToLoad,
  parseModuleNeeds,
  parseWithout,
} from '../../../scripts/lab/modules.ts';

/** All modules of the board without needs, except where told. */
function kernelWith(needs: Readonly<Record<string, readonly string[]>>): Map<string, ModuleEntry> {
  const names = new Set([...boardModules, ...Object.keys(needs), ...Object.values(needs).flat()]);
  return new Map([...names].map((name) => [name, { file: `/m/${name}.ko`, needs: needs[name] ?? [] }]));
}

const loaded = (
  needs: Readonly<Record<string, readonly string[]>>,
  without: readonly string[] = [],
): string[] => modulesToLoad(kernelWith(needs), new Set(), without).map((file) => moduleName(file));

test('what a module needs is loaded before it, and once', () => {
  const order = loaded({ bridge: ['stp', 'llc'], stp: ['llc'], br_netfilter: ['bridge'] });
  assert.ok(order.indexOf('llc') < order.indexOf('stp'));
  assert.ok(order.indexOf('stp') < order.indexOf('bridge'));
  assert.ok(order.indexOf('bridge') < order.indexOf('br_netfilter'));
  assert.equal(new Set(order).size, order.length);
});

test('leaving a module out takes along what cannot load without it, and nothing else', () => {
  const needs = { br_netfilter: ['bridge'], iptable_nat: ['nf_nat'], xt_nat: ['nf_nat'] };
  const without = loaded(needs, ['bridge']);
  const lost = loaded(needs).filter((name) => !without.includes(name));
  assert.deepEqual(lost.sort(), ['br_netfilter', 'bridge']);
});

test('a helper that only the left-out module needed is not loaded either', () => {
  assert.equal(loaded({ bridge: ['stp'] }, ['bridge', 'br_netfilter']).includes('stp'), false);
});

test('what is built into the kernel cannot be left out', () => {
  assert.throws(
    () => modulesToLoad(kernelWith({}), new Set(['overlay']), ['overlay']),
    /built into this kernel/,
  );
});

test('a kernel that lacks a module of the board is named', () => {
  const kernel = kernelWith({});
  kernel.delete('veth');
  assert.throws(() => modulesToLoad(kernel, new Set(), []), /no module veth/);
});

test('the words of --without are features, modules or controllers', () => {
  assert.deepEqual(parseWithout(['nat', 'overlay', 'cgroup:pids']), {
    modules: ['nf_nat', 'overlay'],
    controllers: ['pids'],
  });
  assert.throws(() => parseWithout(['warp-drive']), /Cannot leave out warp-drive/);
});

test('the needs of a module are read from its .modinfo section', () => {
  const text = 'ELF…\0license=GPL\0depends=nf-nat,x_tables\0name=iptable_nat\0';
  assert.deepEqual(parseModuleNeeds(new TextEncoder().encode(text)), ['nf_nat', 'x_tables']);
  assert.deepEqual(parseModuleNeeds(new TextEncoder().encode('x\0depends=\0name=llc\0')), []);
  assert.deepEqual(parseModuleNeeds(new TextEncoder().encode('no such section')), []);
});

test('a module file has the name by which the kernel knows it', () => {
  assert.equal(moduleName('kernel/drivers/char/hw_random/virtio-rng.ko.xz'), 'virtio_rng');
});
