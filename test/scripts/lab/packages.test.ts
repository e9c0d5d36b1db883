import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pickPackages } from '../../../scripts/lab/debs.ts';

const plan = `Reading package lists...
Inst libc6 (2.36-9+deb12u14 Debian:12.11/oldstable [arm64])
Inst libgcc-s1:arm64 (12.2.0-14+deb12u1 Debian:12.11/oldstable [arm64])
Inst perl-base (5.36.0-7+deb12u4 Debian:12.11/oldstable [arm64])
Inst libperl5.36 (5.36.0-7+deb12u4 Debian:12.11/oldstable [arm64])
Inst libpam-modules (1.5.2-6 Debian:12.11/oldstable [arm64])
Inst docker.io (20.10.24+dfsg1-1+b6 Debian:12.11/oldstable [arm64])
Inst linux-image-6.1.0-56-arm64 (6.1.192-2 Debian-Security:12/oldstable-security [arm64])
Inst linux-image-arm64 (6.1.192-2 Debian-Security:12/oldstable-security [arm64])
Inst linux-modules-6.8.0-31-generic (6.8.0-31.31 Ubuntu:24.04/noble [arm64])
Inst linux-base (4.12.1 Debian:12.11/oldstable [all])
Conf libc6 (2.36-9+deb12u14 Debian:12.11/oldstable [arm64])
`;

test('an installation plan gives the wanted packages, their libraries and the concrete kernel', () => {
  assert.deepEqual(pickPackages(plan, ['docker.io']), [
    { name: 'libc6', version: '2.36-9+deb12u14' },
    { name: 'libgcc-s1', version: '12.2.0-14+deb12u1' },
    { name: 'docker.io', version: '20.10.24+dfsg1-1+b6' },
    { name: 'linux-image-6.1.0-56-arm64', version: '6.1.192-2' },
    { name: 'linux-modules-6.8.0-31-generic', version: '6.8.0-31.31' },
  ]);
});
