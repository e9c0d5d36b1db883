import { type Document, isDocument, isMap, parseDocument } from 'yaml';
import { messageOf } from '../core/agent-error.ts';
import { mergeThreeWay } from './merge.ts';
import { migrate } from './moved-fields.ts';
import type { Release } from './release.ts';
import { differences, isTree, type Tree, valueAt, withValue } from './tree.ts';
import type { WantedValue } from './wanted-values.ts';

/** Where a token may stand in edgecore.yaml. */
export const tokenPath = ['modules', 'edgeHub', 'token'] as const;

/** A configuration file longer than this is not read, in characters. */
const maxLength = 262_144;

/** A file as it was found. */
export type ParsedConfig =
  | { readonly ok: true; readonly tree: Tree; readonly document: Document }
  | { readonly ok: false; readonly problem: string };

/** Reads an edgecore.yaml or what `--defaultconfig` prints; says in one clause what is wrong. */
export function parseEdgecoreConfig(text: string): ParsedConfig {
  if (text.length > maxLength)
    return { ok: false, problem: `has ${text.length} characters, want at most ${maxLength}` };
  if (text.includes('\0')) return { ok: false, problem: 'has zero bytes, as after a power cut' };
  const document = parseDocument(text, { schema: 'core' });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    const where = line === undefined ? '' : ` at line ${line}`;
    return {
      ok: false,
      problem: `is no YAML${where}: ${error.message.split('\n')[0]?.replace(/:$/, '') ?? error.code}`,
    };
  }
  if (!isMap(document.contents)) return { ok: false, problem: 'is no mapping of names to values' };
  return fromDocument(document);
}

function fromDocument(document: Document): ParsedConfig {
  try {
    const tree: unknown = document.toJS({ maxAliasCount: 0 });
    if (!isTree(tree)) return { ok: false, problem: 'is no mapping of names to values' };
    const problem = shapeProblem(tree);
    return problem === undefined ? { ok: true, tree, document } : { ok: false, problem };
  } catch (error) {
    return { ok: false, problem: `cannot be read: ${messageOf(error)}` };
  }
}

/** Sections that are mappings in every release; a file that was cut short often has something else there. */
const sections = ['edged', 'edgeHub', 'eventBus', 'metaManager', 'deviceTwin', 'serviceBus', 'edgeStream'];

function shapeProblem(tree: Tree): string | undefined {
  const modules = tree['modules'];
  if (!isTree(modules)) return 'has no "modules", so it is no edgecore.yaml';
  const wrong = sections.find((name) => modules[name] !== undefined && !isTree(modules[name]));
  return wrong === undefined ? undefined : `has no mapping at "modules.${wrong}"; was it cut short?`;
}

/** Everything that a new edgecore.yaml is made from. */
export interface ConfigSources {
  /** What the present binary prints with `--defaultconfig`. */
  readonly defaults: { readonly tree: Tree; readonly document: Document };
  readonly release: Release;
  readonly wanted: readonly WantedValue[];
  /** What we wrote last time and for which release; undefined where we never did. */
  readonly base: { readonly tree: Tree; readonly release: Release } | undefined;
  /** What is there now; undefined where there is no file. */
  readonly current: { readonly tree: Tree; readonly document: Document } | undefined;
  /** Token that must stand in the file itself (releases before 1.13 have no other place). */
  readonly token: string | undefined;
}

/** A new edgecore.yaml. */
export interface NewConfig {
  readonly text: string;
  /** What the text says. */
  readonly tree: Tree;
  /** What we would have written without the operator: the base of the next time. Never holds a token. */
  readonly base: Tree;
  /** Whether the file on disk would change. */
  readonly isChanged: boolean;
  /** Dotted names in which the operator's values were kept. */
  readonly kept: readonly string[];
}

/**
 * Makes edgecore.yaml: the defaults of the release, our values over them, and over those whatever the operator changed
 * since we wrote the file last. Comments of the operator's file stay; of a fresh one, those of the defaults.
 */
export function makeConfig(sources: ConfigSources): NewConfig {
  const { wanted, token, current } = sources;
  const ours = withoutToken(setAll(sources.defaults.tree, wanted));
  const merged = current === undefined ? ours : withOperator(sources, ours, current.tree);
  const bound = setAll(
    merged,
    wanted.filter((value) => value.isBinding),
  );
  const target = withValue(bound, tokenPath, token ?? '');
  const document = writeInto(current?.document ?? sources.defaults.document, target);
  const text = render(document);
  const isChanged = current === undefined || differences(current.tree, target).length > 0;
  const kept =
    current === undefined ? [] : differences(ours, withoutToken(bound)).map((path) => path.join('.'));
  return {
    tree: target,
    text: isChanged ? text : render(current?.document ?? document),
    base: ours,
    isChanged,
    kept,
  };
}

/** The same configuration without any token. */
export function withoutToken(tree: Tree): Tree {
  return valueAt(tree, tokenPath) === undefined ? tree : withValue(tree, tokenPath, '');
}

/** YAML text of a document that keeps its comments; long lines are not folded. */
export function render(document: Document): string {
  return document.toString({ lineWidth: 0 });
}

function withOperator(sources: ConfigSources, ours: Tree, current: Tree): Tree {
  const { release, base } = sources;
  const from = base?.release ?? release;
  const theirs = migrate(withoutToken(current), from, release);
  // Without a base every value that is not a default counts as the operator's: a node that somebody else had joined.
  const before = base === undefined ? withoutToken(sources.defaults.tree) : migrate(base.tree, from, release);
  return mergeThreeWay({ base: before, theirs, ours });
}

function setAll(tree: Tree, values: readonly WantedValue[]): Tree {
  return values.reduce((result, { path, value }) => withValue(result, path, value), tree);
}

/** Changes a document so that it says exactly what the tree says, touching nothing that is so already. */
function writeInto(original: Document, target: Tree): Document {
  const document = original.clone();
  if (!isDocument(document)) throw new TypeError('a YAML document does not clone to one');
  const present: unknown = document.toJS();
  for (const path of differences(isTree(present) ? present : {}, target)) {
    const value = valueAt(target, path);
    if (value === undefined) document.deleteIn(path);
    else document.setIn(path, document.createNode(value));
  }
  return document;
}
