import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releases } from '../../scripts/cfg/release.ts';
import { rules } from '../../scripts/cfg/rule-table.ts';
import { expectedProbes, findingsOf, outcomeReleases, probeFiles, probeOutcome } from './probes.ts';

const probes = expectedProbes();

test('every probe file has its expectation and the other way round', () => {
  assert.deepEqual(probes.map(({ file }) => file).sort(), [...probeFiles()].sort());
});

for (const probe of probes) {
  test(`the checker says what it must about ${probe.file}: ${probe.about}`, async () => {
    assert.deepEqual(await findingsOf(probe.file), probe.findings);
  });

  test(`the outcome of ${probe.file} is the recorded one in each release`, async () => {
    const recorded = probe.outcomes.flatMap((outcome) => outcome.releases);
    // Where init itself does not survive a probe there is no outcome.
    const survived = probe.file === 'empty-cpucore.cfg' ? ['3.1'] : outcomeReleases;
    assert.deepEqual([...recorded].sort(), [...survived].sort());
    for (const { releases: same, ...outcome } of probe.outcomes) {
      for (const release of same) assert.deepEqual(await probeOutcome(probe.file, release), outcome, release);
    }
  });
}

test('every rule is met by a probe, but for the few that need a file of their own kind', () => {
  const met = new Set(probes.flatMap(({ findings }) => findings.map((finding) => finding.split(' ')[0])));
  const unmet = rules.map(({ id }) => id).filter((id) => !met.has(id));
  assert.deepEqual(unmet.sort(), ['build-list', 'file-chipset', 'file-large', 'services-many']);
});

test('rules have one row each, name known releases and say what follows and what to do', () => {
  assert.deepEqual(rules.length, new Set(rules.map(({ id }) => id)).size);
  for (const { id, releases: met, why, fix, source } of rules) {
    assert.ok(
      met.every((release) => releases.includes(release)),
      id,
    );
    assert.ok(why.length > 10 && fix.length > 5 && source.includes('/'), id);
  }
});
