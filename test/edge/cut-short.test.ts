import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { isCutShort } from '../../agent/edge/cut-short.ts';
import { makeConfig, parseEdgecoreConfig } from '../../agent/edge/edgecore-yaml.ts';
import { isSame, type Tree, withValue } from '../../agent/edge/tree.ts';
import { wantedValues } from '../../agent/edge/wanted-values.ts';
import { defaultsText, parsed, release, settings } from './samples.ts';

/** A file as edgecore writes it, with changes of the operator's far up and far down, and what we know of it. */
function board(version: string) {
  const chosen = release(version);
  const defaults = parsed(defaultsText(chosen.minor));
  const sources = { defaults, release: chosen, wanted: wantedValues(chosen, settings), token: undefined };
  const first = makeConfig({ ...sources, base: undefined, current: undefined });
  const base = { tree: first.base, release: chosen };
  const edits = [
    [['modules', 'deviceTwin', 'note'], 'mine'],
    [['modules', 'edgeHub', 'heartbeat'], 7],
    [['modules', 'metaManager', 'remoteQueryTimeout'], 61],
  ] as const;
  const edited = edits.reduce<Tree>((tree, [path, value]) => withValue(tree, path, value), first.tree);
  return {
    edited,
    text: stringify(edited, { sortMapEntries: true }),
    remake: (current: Parameters<typeof makeConfig>[0]['current']) =>
      makeConfig({ ...sources, base, current }).tree,
  };
}

test("a file that was cut short anywhere gives the configuration as it was, the operator's changes included", () => {
  const { edited, text, remake } = board('v1.22.1');
  const good = parsed(text);
  for (let length = 0; length < text.length; length += 1) {
    const left = text.slice(0, length);
    const found = parseEdgecoreConfig(left);
    const isBroken = !found.ok || isCutShort(left, found.tree, good.tree);
    const tail = JSON.stringify(left.slice(-60));
    assert.ok(isBroken || isSame(remake(found), edited), `kept although it ends with ${tail}`);
  }
  assert.ok(isSame(remake(good), edited));
});

test("the operator's own edits are no cut file: a line out, a section out, another value, no line end", () => {
  const { text } = board('v1.22.1');
  const good = parsed(text).tree;
  const isCut = (edited: string) => isCutShort(edited, parsed(edited).tree, good);
  assert.equal(isCut(text), false);
  assert.equal(isCut(text.trimEnd()), false);
  assert.equal(isCut(text.replace('    heartbeat: 7\n', '')), false);
  assert.equal(isCut(text.replace('    heartbeat: 7\n', '    heartbeat: 8\n')), false);
  assert.equal(isCut(text.trimEnd().replace(/\S+$/, 'other')), false);
  assert.equal(isCut(text.replace(/ {2}eventBus:\n(?: {4}.*\n)+/, '')), false);
  assert.equal(isCut(`${text}extra: 1`), false);
  assert.equal(isCut('modules:\n  edgeHub:\n    heartbeat: 9\n'), false);
});

test('zero bytes, which a power cut leaves behind, are no configuration', () => {
  const found = parseEdgecoreConfig(`${board('v1.22.1').text}\0\0`);
  assert.match(found.ok ? '' : found.problem, /zero bytes/);
});
