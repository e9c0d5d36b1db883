import assert from 'node:assert/strict';
import test from 'node:test';
import { goalsOf, renderFleet } from '../../scripts/fleet/report.ts';
import { runFleet } from '../../scripts/fleet/story.ts';
import { noMosquitto } from '../fakes/mosquitto.ts';

test('a fleet of three lives through the whole story, loses nothing and stays within its bounds', {
  skip: noMosquitto,
}, async () => {
  const said: string[] = [];
  const result = await runFleet(3, (text) => said.push(text));
  assert.deepEqual(result.lost, { twins: 0, conditions: 0, events: 0 });
  assert.equal(result.query.answered, 3);
  assert.equal(result.stalls, 0);
  assert.deepEqual(
    goalsOf(result).filter(({ ok }) => !ok),
    [],
  );
  assert.match(renderFleet(result), /3 boards \(simulated; .*stand-ins\)/);
  assert.equal(said.length, 5);
});
