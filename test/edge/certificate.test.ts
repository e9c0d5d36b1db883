import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeCertificate, readCertificate } from '../../agent/edge/certificate.ts';
import { CertificateWatch } from '../../agent/edge/certificate-watch.ts';
import { edgePlaces } from '../../agent/edge/edge-places.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { Authority, type Validity } from '../standins/cloudhub/authority.ts';
import { certificateRequest } from '../standins/edgecore/enrolment.ts';

const dayMs = 86_400_000;

async function certificate(authority: Authority, validity: Validity, minor = 22): Promise<string> {
  const { requestDer } = await certificateRequest('board-1', minor);
  const der = await authority.signRequest(requestDer, validity);
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

test('each state of a certificate has its own word', async () => {
  const authority = await Authority.create();
  const other = await Authority.create();
  const year = await certificate(authority, { fromMs: 0, untilMs: 365 * dayMs });
  const judge = (pem: string, inDays: number, minor = 22, name = 'board-1'): string => {
    const facts = readCertificate(pem, authority.caPem);
    assert.ok(facts !== undefined);
    return judgeCertificate(facts, { name, minor }, Date.now() + inDays * dayMs).reason;
  };
  assert.equal(judge(year, 1), 'Valid');
  assert.equal(judge(year, 330), 'Valid');
  assert.equal(judge(year, 340), 'ExpiresSoon');
  assert.equal(judge(year, 366), 'Expired');
  assert.equal(judge(year, -20_000), 'NotYetValid');
  assert.equal(judge(year, 1, 22, 'board-2'), 'WrongName');
  assert.equal(judge(year, 1, 20, 'board-2'), 'Valid');
  assert.equal(judge(await certificate(authority, { fromMs: 0, untilMs: dayMs }, 15), 0.1, 22), 'WrongName');
  assert.equal(judge(await certificate(other, { fromMs: 0, untilMs: dayMs }), 0.1), 'WrongAuthority');
  assert.equal(readCertificate('no certificate', undefined), undefined);
});

test('the condition follows the files: absent, good, about to end, over', async () => {
  const authority = await Authority.create();
  const clock = new FakeClock({ wallMs: Date.now() });
  const board = new HealthBoard(clock);
  const files = new FakeDisk();
  const places = edgePlaces({ home: '/data', product: '/p', busybox: '/b', dockerBinDir: '/d' });
  const watch = new CertificateWatch({
    clock,
    board,
    files,
    places,
    node: () => ({ name: 'board-1', version: '1.22.1' }),
  });
  const over = new AbortController();
  const run = watch.run(over.signal).catch(() => undefined);
  await clock.advance(1000);
  assert.equal(board.get('CertificateValid'), undefined);
  files.files.set(places.caFile, authority.caPem);
  files.files.set(places.keyFile, 'key');
  files.files.set(places.certFile, await certificate(authority, { fromMs: 0, untilMs: 365 * dayMs }));
  await clock.advance(6_000);
  assert.deepEqual([board.get('CertificateValid')?.status, watch.last?.reason], ['true', 'Valid']);
  clock.setWall(Date.now() + 350 * dayMs);
  await clock.advance(61_000);
  assert.equal(board.get('CertificateValid')?.reason, 'ExpiresSoon');
  clock.setWall(Date.now() + 400 * dayMs);
  await clock.advance(61_000);
  assert.deepEqual(
    [board.get('CertificateValid')?.status, board.get('CertificateValid')?.reason],
    ['false', 'Expired'],
  );
  over.abort();
  await run;
});
