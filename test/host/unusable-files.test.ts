import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unusableFiles } from '../../agent/host/unusable-files.ts';

const failed = (code: string): Error => Object.assign(new Error(`${code}: it failed`), { code });

test('certificates that are not there or are none have to be made anew by a person', () => {
  for (const error of [failed('ENOENT'), failed('ERR_OSSL_PEM_NO_START_LINE'), new Error('no certificate')]) {
    const { end } = unusableFiles('Cannot use them', 'join again', error);
    assert.deepEqual([end.reason, end.isPermanent], ['CertificateMissing', true]);
    assert.match(end.message, /^Cannot use them: .+; join again$/);
  }
});

test('certificates that cannot be read just now are tried again, and nobody is sent for a new token', () => {
  for (const code of ['EMFILE', 'ENFILE', 'EIO', 'EACCES']) {
    const { end } = unusableFiles('Cannot use them', 'join again', failed(code));
    assert.deepEqual([end.reason, end.isPermanent], ['CertificateUnreadable', false]);
    assert.equal(end.message, `Cannot use them: ${code}; it is tried again`);
  }
});
