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
    const parsed = text === undefined ? undefined : await this.#parse(text);
    const current = parsed?.ok === true ? parsed : await this.#good();
    const { kept, tree } = await this.#make(program, settings, { current, token: undefined });
    return { kept, tree };
  }

  /** Brings the file up to date. `token` goes in only where the release has no other place for it. */
  async update(
    program: EdgecoreProgram,
    settings: EdgeSettings,
    token: Secret | undefined,
  ): Promise<ConfigReport> {
    for (const file of [this.#baseFile, this.#goodFile]) await this.#requireReadable(file);
    const { current, recovered } = await this.#current();
    const made = await this.#make(program, settings, { current, token: token?.reveal() });
    const isChanged = made.isChanged || recovered !== undefined;
    if (isChanged) {
      await this.#files.makeDirectory(parent(this.#places.configFile), 0o755);
      await this.#files.replace(this.#places.configFile, made.text, { mode: 0o600 });
    }
    await this.#remember(program, made.base, made.text);
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

  async #current(): Promise<{
    readonly current: Good | undefined;
    readonly recovered: ConfigReport['recovered'];
  }> {
    const text = await this.#files.read(this.#places.configFile);
    if (text === undefined) return { current: await this.#good(), recovered: undefined };
    const parsed = await this.#parse(text);
    if (parsed.ok) return { current: parsed, recovered: undefined };
    const aside = (await this.#files.setAside(this.#places.configFile)) ?? this.#places.configFile;
    // It is kept for a look, and a token in it would be kept for ever.
    await this.#files.replace(aside, withoutSecrets(text), { mode: 0o600 });
    return { current: await this.#good(), recovered: { aside, problem: parsed.problem } };
  }

  /** Reads a text; what is left of a file that a power cut shortened is no configuration, even where it can be read. */
  async #parse(text: string): Promise<ParsedConfig> {
    const parsed = parseEdgecoreConfig(text);
    const good = parsed.ok ? await this.#good() : undefined;
    if (!parsed.ok || good === undefined || !isCutShort(text, parsed.tree, good.tree)) return parsed;
    return { ok: false, problem: 'is the beginning of the last good one: it was cut short' };
  }

  /** Puts a record aside that could not be read for long: it is kept, and never written over. */
  async #requireReadable(file: string): Promise<void> {
    try {
      await this.#files.read(file);
      this.#refusals.delete(file);
    } catch (error) {
      const refusals = (this.#refusals.get(file) ?? 0) + 1;
      this.#refusals.set(file, refusals);
      if (refusals < patientStarts) throw error;
      await this.#files.setAside(file);
    }
  }

  async #good(): Promise<Good | undefined> {
    const text = await this.#files.read(this.#goodFile);
    const parsed = text === undefined ? undefined : parseEdgecoreConfig(text);
    return parsed?.ok === true ? parsed : undefined;
  }

  async #make(
    program: EdgecoreProgram,
    settings: EdgeSettings,
    given: { readonly current: Good | undefined; readonly token: string | undefined },
  ): Promise<ReturnType<typeof makeConfig>> {
    const { release, defaults } = program;
    return makeConfig({
      defaults,
      release,
      wanted: wantedValues(release, settings),
      base: await this.#base(),
      current: given.current,
      token: given.token,
    });
  }

  async #base(): Promise<Parameters<typeof makeConfig>[0]['base']> {
    const text = await this.#files.read(this.#baseFile);
    if (text === undefined) return undefined;
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), baseShape), text);
    const release = parsed.success ? parseRelease(parsed.output.release, 'operator') : undefined;
    if (!parsed.success || release === undefined) return undefined;
    return { tree: parsed.output.tree, release };
  }

  async #remember(program: EdgecoreProgram, base: Tree, text: string): Promise<void> {
    const record = `${JSON.stringify({ version: 1, release: program.release.text, tree: base })}\n`;
    await this.#replaceIfOther(this.#baseFile, record);
    const parsed = parseEdgecoreConfig(text);
    if (parsed.ok) await this.#replaceIfOther(this.#goodFile, clean(parsed));
  }

  /** Flash wears: what is so already is not written again. */
  async #replaceIfOther(file: string, text: string): Promise<void> {
    const before = await this.#files.read(file);
    if (before !== text) await this.#files.replace(file, text, { mode: 0o600 });
  }
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
