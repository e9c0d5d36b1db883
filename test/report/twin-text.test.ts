import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeTwinText, encodeTwinText } from '../../agent/report/twin-text.ts';

/** What edgecore takes as a value (edge/pkg/devicetwin/dtcommon/util.go, v1.22.1). */
const allowed = /^[a-zA-Z0-9\-_.,:/@#]{1,512}$/;

test('any text becomes a value that edgecore takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => allowed.test(encodeTwinText(text))),
  );
});

test('a text that fits comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), (text) => {
      const encoded = encodeTwinText(text);
      if (encoded.length < 500 && text !== '-')
        assert.equal(decodeTwinText(encoded), Buffer.from(text).toString());
    }),
  );
});

test('a message stays readable on the wire', () => {
  assert.equal(
    encodeTwinText('dockerd ended 5 times in 60 s: "exit 1"'),
    'dockerd_ended_5_times_in_60_s:_#22exit_1#22',
  );
  assert.equal(encodeTwinText('größer'), 'gr#c3#b6#c3#9fer');
  assert.equal(encodeTwinText(''), '-');
});

test('a cut never falls inside an escape', () => {
  const encoded = encodeTwinText('x'.repeat(511).concat('"'));
  assert.equal(encoded, 'x'.repeat(511));
});
