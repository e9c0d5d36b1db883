import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { ElfError, readElf } from '../../agent/core/elf.ts';
import { sketchElf } from '../scripts/sketch-elf.ts';

test('a file without interpreter and libraries is static', () => {
  assert.deepEqual(readElf(sketchElf({ type: 2 })), {
    bits: 64,
    machine: 'aarch64',
    type: 'executable',
    interpreter: null,
    needed: [],
    searchPaths: [],
    hasTextRelocations: false,
    isStatic: true,
  });
});

test('interpreter, libraries and text relocations are read', () => {
  const facts = readElf(
    sketchElf({ interpreter: '/lib/ld-musl-aarch64.so.1', needed: ['libc.so', 'libm.so'], textrel: true }),
  );
  assert.equal(facts.interpreter, '/lib/ld-musl-aarch64.so.1');
  assert.deepEqual(facts.needed, ['libc.so', 'libm.so']);
  assert.equal(facts.hasTextRelocations, true);
  assert.equal(facts.isStatic, false);
});

test('the Node that runs this test is read as what it is', async () => {
  const facts = readElf(await readFile(process.execPath));
  assert.equal(facts.bits, 64);
  assert.match(facts.interpreter ?? '', /\/ld-/);
  assert.ok(facts.needed.some((name) => name.startsWith('libc.')));
});

test('a text file is named as no ELF file', () => {
  assert.throws(() => readElf(new TextEncoder().encode('#!/bin/sh\necho a script, not a program\n')), {
    name: 'ElfError',
    message: /Not an ELF file/,
  });
});

test('a big-endian file is refused by name', () => {
  const bytes = sketchElf({});
  bytes[5] = 2;
  assert.throws(() => readElf(bytes), /little-endian/);
});

test('an impossible number of program headers is not believed', () => {
  const bytes = sketchElf({});
  new DataView(bytes.buffer).setUint16(56, 0xffff, true);
  assert.throws(() => readElf(bytes), /65535 program headers/);
});

test('an impossible dynamic section is not believed', () => {
  const bytes = sketchElf({ needed: ['libc.so'] });
  new DataView(bytes.buffer).setBigUint64(64 + 56 + 32, 2n ** 60n, true);
  assert.throws(() => readElf(bytes), /dynamic entries/);
});

test('a library name outside the string table is refused', () => {
  const bytes = sketchElf({ needed: ['libc.so'] });
  new DataView(bytes.buffer).setBigUint64(648, 9999n, true);
  assert.throws(() => readElf(bytes), /outside the string table/);
});

test('a file cut at any place is read or refused, never worse', () => {
  const whole = sketchElf({ interpreter: '/lib/ld-linux-aarch64.so.1', needed: ['libc.so.6'] });
  for (let length = 0; length < whole.length; length += 1) {
    try {
      readElf(whole.subarray(0, length));
    } catch (error) {
      assert.ok(error instanceof ElfError, `at ${length} bytes: ${String(error)}`);
    }
  }
});

test('a file with any bytes changed is read or refused, never worse', () => {
  const whole = sketchElf({
    interpreter: '/lib/ld-linux-aarch64.so.1',
    needed: ['libc.so.6'],
    textrel: true,
  });
  const change = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(change, (edits) => {
      const bytes = Uint8Array.from(whole);
      for (const [offset, value] of edits) bytes[offset] = value;
      try {
        readElf(bytes);
      } catch (error) {
        if (!(error instanceof ElfError)) throw error;
      }
    }),
  );
});
