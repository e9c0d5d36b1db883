import type { ObservedGround, PathFact } from '../core/ground-observed.ts';
import type { GroundStep } from '../core/ground-step.ts';
import { isBound, mountAt } from './mount-table.ts';
import type { Place } from './places.ts';
import { mountMark } from './settings.ts';
import type { Wanted } from './wanted.ts';

type PlaceOf<K extends Place['kind']> = Extract<Place, { kind: K }>;

/** What a place wants; `prefix` is the new root while it is not `/` yet. */
export function wantPlace(observed: ObservedGround, place: Place, prefix: string): readonly Wanted[] {
  const path = `${prefix}${place.path}`;
  const fact = observed.paths[path] ?? { kind: 'absent' };
  switch (place.kind) {
    case 'directory':
      return [wantDirectory(fact, place, path)];
    case 'symlink':
      return [wantSymlink(fact, place, path)];
    case 'text':
      return [wantText(fact, place, path)];
    case 'tmpfs':
      return [mountPoint(fact, path, false), wantTmpfs(observed, place, path)];
    case 'bind':
      return [mountPoint(fact, path, place.shape === 'file'), wantBind(observed, place, path)];
  }
}

function wantDirectory(fact: PathFact, place: PlaceOf<'directory'>, path: string): Wanted {
  // An operator may have put a directory of ours on another disk by a link; that is as good.
  if (fact.behind === 'directory') return { isMet: true, step: makeDirectory(place, path) };
  const isThere = fact.kind === 'directory';
  if (!isThere) return { isMet: false, step: makeDirectory(place, path) };
  const { mode, why } = place;
  const what = `set the mode of ${path} to 0${mode.toString(8)}`;
  return { isMet: fact.mode === mode, step: { kind: 'set-mode', id: `mode:${path}`, what, why, path, mode } };
}

function makeDirectory(place: PlaceOf<'directory'>, path: string): GroundStep {
  const { mode, why } = place;
  const what = `make directory ${path} (0${mode.toString(8)})`;
  return { kind: 'make-directory', id: `dir:${path}`, what, why, path, mode };
}

function wantSymlink(fact: PathFact, place: PlaceOf<'symlink'>, path: string): Wanted {
  const { target, why } = place;
  return {
    isMet: fact.kind === 'symlink' && fact.target === target,
    step: { kind: 'make-symlink', id: `link:${path}`, what: `link ${path} to ${target}`, why, path, target },
  };
}

function wantText(fact: PathFact, place: PlaceOf<'text'>, path: string): Wanted {
  const { text, mode, why } = place;
  return {
    isMet: fact.kind === 'file' && fact.text === text,
    step: { kind: 'write-file', id: `file:${path}`, what: `write ${path}`, why, path, text, mode },
  };
}

function mountPoint(fact: PathFact, path: string, isFile: boolean): Wanted {
  const base = { id: `mountpoint:${path}`, why: 'It is needed to mount on.', path };
  const step: GroundStep = isFile
    ? { kind: 'write-file', what: `make file ${path}`, text: '', mode: 0o644, ...base }
    : { kind: 'make-directory', what: `make directory ${path}`, mode: 0o755, ...base };
  return { isMet: fact.kind === (isFile ? 'file' : 'directory'), step };
}

function wantTmpfs(observed: ObservedGround, place: PlaceOf<'tmpfs'>, path: string): Wanted {
  const mount = mountAt(observed, path);
  return {
    isMet: mount?.fstype === 'tmpfs' && mount.source === mountMark,
    step: {
      kind: 'mount',
      id: `mount:${place.path}`,
      what: `mount tmpfs on ${path}`,
      why: place.why,
      fstype: 'tmpfs',
      source: mountMark,
      target: path,
      options: place.options,
    },
  };
}

function wantBind(observed: ObservedGround, place: PlaceOf<'bind'>, path: string): Wanted {
  return {
    isMet: isBound(observed, place.source, path),
    step: {
      kind: 'bind',
      id: `mount:${place.path}`,
      what: `bind ${place.source} on ${path}`,
      why: place.why,
      source: place.source,
      target: path,
      isRecursive: place.shape === 'tree',
    },
  };
}
