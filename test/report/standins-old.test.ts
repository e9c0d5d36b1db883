import { test } from 'node:test';
import { standinStory } from '../fakes/standin-story.ts';

// A file for each release: they run side by side, and each needs half a minute of real time.
test(
  '1.12.6: the twin is in the Device object, questions come through, and the Node says why edgecore is gone',
  { timeout: 200_000 },
  (t) => standinStory(t, '1.12.6', 200),
);
