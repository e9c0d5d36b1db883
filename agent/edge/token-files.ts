import type { Files } from '../core/files.ts';
import { isKeyOf, readCertificate } from './certificate.ts';
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
    const isInFile = (await this.#bootstrap()) !== undefined;
    if (!isInFile && (await this.#inConfig()) === undefined) return;
    if (!(await this.#keepCertificates())) return;
    if (isInFile) await this.forget();
    else await this.#keeper.forgetToken();
  }

  /** Removes every trace of the token now. */
  async forget(): Promise<void> {
    await this.#files.remove(this.#places.bootstrapFile);
    await this.#keeper.forgetToken();
  }

  /**
   * Brings what edgecore wrote onto the disk, which it leaves to the kernel: a power cut must not find a board whose token
   * is gone and whose certificate is empty. Reports whether there is a whole certificate.
   */
  async #keepCertificates(): Promise<boolean> {
    const { caFile, certFile, keyFile } = this.#places;
    const paths = [caFile, certFile, keyFile];
    const texts = await Promise.all(paths.map((path) => this.#files.read(path).catch(() => undefined)));
    const [caPem = '', certPem = '', keyPem = ''] = texts;
    if (readCertificate(certPem, caPem)?.isSigned !== true || !isKeyOf(keyPem, certPem)) return false;
    for (const [index, path] of paths.entries())
      await this.#files.replace(path, texts[index] ?? '', { mode: 0o600 });
    return true;
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
