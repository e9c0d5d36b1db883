import * as v from 'valibot';
import type { Files } from '../core/files.ts';
import { withoutSecrets } from '../core/secrets.ts';
import { isCutShort } from './cut-short.ts';
import type { EdgePlaces } from './edge-places.ts';
import { makeConfig, type ParsedConfig, parseEdgecoreConfig, render, tokenPath } from './edgecore-yaml.ts';
import { parseRelease } from './release.ts';
import type { EdgecoreProgram } from './release-finder.ts';
import type { Secret } from './secret.ts';
import { type Tree, textAt } from './tree.ts';
import { type EdgeSettings, wantedValues } from './wanted-values.ts';

/** What became of edgecore.yaml. */
export interface ConfigReport {
  readonly isChanged: boolean;
  /** Dotted names in which the operator's values were kept. */
  readonly kept: readonly string[];
  /** Where a broken file was moved and what was wrong with it. */
  readonly recovered: { readonly aside: string; readonly problem: string } | undefined;
}

/** What edgecore.yaml would be. */
export interface ConfigPreview {
  readonly kept: readonly string[];
  readonly tree: Tree;
}

const baseShape = v.object({
  version: v.literal(1),
  release: v.string(),
  tree: v.record(v.string(), v.unknown()),
});

type Good = Extract<ParsedConfig, { ok: true }>;

/** Texts of the two records; undefined where there is none. */
interface Records {
  readonly base: string | undefined;
  readonly good: string | undefined;
}

/** At so many starts in a row a record may be unreadable; then it is lost, and the board does not wait for it any longer. */
const patientStarts = 5;

/**
 * Writes edgecore.yaml and keeps two records beside it, neither with a token: `base`, what we would have written without
 * the operator, and `good`, the last file that could be read. After a power cut or a slip of an editor the good one comes back.
 * A record that cannot be read just now is neither absent nor lost: nothing is written, and the next start tries again.
 */
export class ConfigKeeper {
  readonly #files: Files;
  readonly #places: EdgePlaces;
  readonly #baseFile: string;
  readonly #goodFile: string;
  readonly #refusals = new Map<string, number>();
  #last: { readonly text: string; readonly tree: Tree | undefined } | undefined;

  constructor(files: Files, places: EdgePlaces) {
    this.#files = files;
    this.#places = places;
    this.#baseFile = `${places.stateDir}/edgecore.base.json`;
    this.#goodFile = `${places.stateDir}/edgecore.good.yaml`;
  }

  /** What is on disk; undefined where there is no file or it cannot be read. Changes nothing. */
  async read(): Promise<Tree | undefined> {
    const text = await this.#files.read(this.#places.configFile).catch(() => undefined);
    if (text === undefined) return undefined;
    // Every probe asks whether edgecore wrote the token back, and parsing takes milliseconds of a small processor.
    if (text !== this.#last?.text) {
      const parsed = parseEdgecoreConfig(text);
      this.#last = { text, tree: parsed.ok ? parsed.tree : undefined };
    }
    return this.#last.tree;
  }

  /** What would be written, without writing it. A file that cannot be read is taken for absent. */
  async preview(program: EdgecoreProgram, settings: EdgeSettings): Promise<ConfigPreview> {
    const text = await this.#files.read(this.#places.configFile);
    const records = {
      base: await this.#files.read(this.#baseFile),
      good: await this.#files.read(this.#goodFile),
    };
    const parsed = text === undefined ? undefined : parseWhole(text, records);
    const current = parsed?.ok === true ? parsed : goodOf(records);
    const { kept, tree } = makeFrom(program, settings, { records, current, token: undefined });
    return { kept, tree };
  }

  /** Brings the file up to date. `token` goes in only where the release has no other place for it. */
  async update(
    program: EdgecoreProgram,
    settings: EdgeSettings,
    token: Secret | undefined,
  ): Promise<ConfigReport> {
    const records = {
      base: await this.#readPatiently(this.#baseFile),
      good: await this.#readPatiently(this.#goodFile),
    };
    const { current, recovered } = await this.#current(records);
    const made = makeFrom(program, settings, { records, current, token: token?.reveal() });
    const isChanged = made.isChanged || recovered !== undefined;
    if (isChanged) {
      await this.#files.makeDirectory(parent(this.#places.configFile), 0o755);
      await this.#files.replace(this.#places.configFile, made.text, { mode: 0o600 });
    }
    await this.#remember(records, { release: program.release.text, base: made.base, text: made.text });
    return { isChanged, kept: made.kept, recovered };
  }

  /** Takes a token out of the file: up to 1.12 edgecore leaves it there, from 1.21 on it may write it there. */
  async forgetToken(): Promise<boolean> {
    const text = await this.#files.read(this.#places.configFile).catch(() => undefined);
    const parsed = text === undefined ? undefined : parseEdgecoreConfig(text);
    if (parsed?.ok !== true || textAt(parsed.tree, tokenPath) === undefined) return false;
    await this.#files.replace(this.#places.configFile, clean(parsed), { mode: 0o600 });
    return true;
  }

  /** Removes the file and the records, when the board leaves. */
  async remove(): Promise<void> {
    for (const file of [this.#places.configFile, this.#baseFile, this.#goodFile])
      await this.#files.remove(file);
  }

  async #current(records: Records): Promise<{
    readonly current: Good | undefined;
    readonly recovered: ConfigReport['recovered'];
  }> {
    const text = await this.#files.read(this.#places.configFile);
    if (text === undefined) return { current: goodOf(records), recovered: undefined };
    const parsed = parseWhole(text, records);
    if (parsed.ok) return { current: parsed, recovered: undefined };
    const aside = (await this.#files.setAside(this.#places.configFile)) ?? this.#places.configFile;
    // It is kept for a look, and a token in it would be kept for ever.
    await this.#files.replace(aside, withoutSecrets(text), { mode: 0o600 });
    return { current: goodOf(records), recovered: { aside, problem: parsed.problem } };
  }

  /** Reads a record, and puts one aside that could not be read for long: it is kept, and never written over. */
  async #readPatiently(file: string): Promise<string | undefined> {
    try {
      const text = await this.#files.read(file);
      this.#refusals.delete(file);
      return text;
    } catch (error) {
      const refusals = (this.#refusals.get(file) ?? 0) + 1;
      this.#refusals.set(file, refusals);
      if (refusals < patientStarts) throw error;
      await this.#files.setAside(file);
      return undefined;
    }
  }

  async #remember(
    before: Records,
    { release, base, text }: { readonly release: string; readonly base: Tree; readonly text: string },
  ): Promise<void> {
    const record = `${JSON.stringify({ version: 1, release, tree: base })}\n`;
    await this.#replaceIfOther(this.#baseFile, before.base, record);
    const parsed = parseEdgecoreConfig(text);
    if (parsed.ok) await this.#replaceIfOther(this.#goodFile, before.good, clean(parsed));
  }

  /** Flash wears: what is so already is not written again. */
  async #replaceIfOther(file: string, before: string | undefined, text: string): Promise<void> {
    if (before !== text) await this.#files.replace(file, text, { mode: 0o600 });
  }
}

/** Reads a text; what is left of a file that a power cut shortened is no configuration, even where it can be read. */
function parseWhole(text: string, records: Records): ParsedConfig {
  const parsed = parseEdgecoreConfig(text);
  const good = parsed.ok ? goodOf(records) : undefined;
  if (!parsed.ok || good === undefined || !isCutShort(text, parsed.tree, good.tree)) return parsed;
  return { ok: false, problem: 'is the beginning of the last good one: it was cut short' };
}

function goodOf({ good }: Records): Good | undefined {
  const parsed = good === undefined ? undefined : parseEdgecoreConfig(good);
  return parsed?.ok === true ? parsed : undefined;
}

function makeFrom(
  { defaults, release }: EdgecoreProgram,
  settings: EdgeSettings,
  given: {
    readonly records: Records;
    readonly current: Good | undefined;
    readonly token: string | undefined;
  },
): ReturnType<typeof makeConfig> {
  const { records, current, token } = given;
  const wanted = wantedValues(release, settings);
  return makeConfig({ defaults, release, wanted, base: baseOf(records), current, token });
}

function baseOf({ base: text }: Records): Parameters<typeof makeConfig>[0]['base'] {
  if (text === undefined) return undefined;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), baseShape), text);
  const release = parsed.success ? parseRelease(parsed.output.release, 'operator') : undefined;
  if (!parsed.success || release === undefined) return undefined;
  return { tree: parsed.output.tree, release };
}

/** Text of a file without its token, comments kept. */
function clean({ document }: Good): string {
  const copy = document.clone();
  if (textAt(copy.toJS(), tokenPath) !== undefined) copy.setIn([...tokenPath], '');
  return render(copy);
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
