import type { Files } from '../core/files.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import type { EdgePlaces } from './edge-places.ts';
import { tokenPath } from './edgecore-yaml.ts';
import { readCertificates } from './join-look.ts';
import type { Release } from './release.ts';
import { Secret } from './secret.ts';
import { textAt } from './tree.ts';

/** The one place at a time where the token lies between a join and the first certificate. */
export class TokenFiles {
  readonly #files: Files;
  readonly #places: EdgePlaces;
  readonly #keeper: ConfigKeeper;

  constructor(files: Files, places: EdgePlaces, keeper: ConfigKeeper) {
    this.#files = files;
    this.#places = places;
    this.#keeper = keeper;
  }

  /** Reports whether a token is waiting to be used. */
  async hasToken(): Promise<boolean> {
    return (await this.#bootstrap()) !== undefined || (await this.#inConfig()) !== undefined;
  }

  /** Token that edgecore.yaml must hold for a start: only up to 1.12, and only until there is a certificate. */
  async forConfig(release: Release): Promise<Secret | undefined> {
    if (release.minor >= 13 || (await readCertificates(this.#files, this.#places)) !== undefined)
      return undefined;
    const text = (await this.#inConfig()) ?? (await this.#bootstrap());
    return text === undefined ? undefined : new Secret(text);
  }

  /** Removes every trace of the token once the certificate is there. edgecore itself never removes the bootstrap file. */
  async forgetOnceEnrolled(): Promise<void> {
    if ((await readCertificates(this.#files, this.#places)) === undefined) return;
    if ((await this.#bootstrap()) !== undefined) await this.forget();
    else if ((await this.#inConfig()) !== undefined) await this.#keeper.forgetToken();
  }

  /** Removes every trace of the token now. */
  async forget(): Promise<void> {
    await this.#files.remove(this.#places.bootstrapFile);
    await this.#keeper.forgetToken();
  }

  async #bootstrap(): Promise<string | undefined> {
    const text = (await this.#files.read(this.#places.bootstrapFile).catch(() => undefined))?.trim();
    return text === '' ? undefined : text;
  }

  async #inConfig(): Promise<string | undefined> {
    const tree = await this.#keeper.read();
    return tree === undefined ? undefined : textAt(tree, tokenPath);
  }
}
