/** How the file of a part is known to be the right one. */
export type Checksum =
  /** The maker's own sum, kept in the manifest. */
  | { readonly kind: 'pinned'; readonly sha256: string }
  /** The maker publishes a list or a bare sum beside the file; it is fetched along. */
  | { readonly kind: 'published'; readonly algorithm: 'sha256' | 'sha512'; readonly url: string }
  /** The maker publishes none: what comes first is recorded in the lock file and wanted from then on. */
  | { readonly kind: 'first-use' };

/** What a file of a part has to be. */
export type FileRule =
  /** Starts with the kernel alone. */
  | 'static-program'
  /** May ask for a loader: the part node-libraries brings it. */
  | 'carried-program'
  /** A shared library for a carried program. */
  | 'library'
  /** No program of the board: an image archive, a text. */
  | 'data';

/** One file that a part puts into the store. */
export interface PartFile {
  /** Name inside the archive; for a part that is a plain file, anything. */
  readonly from: string;
  /** Name in the part's folder of the store. */
  readonly to: string;
  readonly rule: FileRule;
}

/** Where a part comes from. */
export type PartSource =
  | {
      readonly kind: 'download';
      readonly url: string;
      readonly checksum: Checksum;
      /** Bytes, or null where the maker does not say; a file above `sizeLimit` is refused in any case. */
      readonly size: number | null;
      readonly sizeLimit: number;
      readonly archive: 'file' | 'tar.gz';
      /** Links inside are passed over, never made; without this an archive with a link is refused. */
      readonly mayHoldLinks?: true;
    }
  /** Given by path with `add`, because no maker offers a file that fits; `how` says how to get one. */
  | { readonly kind: 'handed-in'; readonly how: string };

/** One version of one thing that the image needs from elsewhere. */
export interface Part {
  readonly name: string;
  readonly version: string;
  readonly architecture: 'arm64';
  /** SPDX expression. */
  readonly licence: string;
  readonly source: PartSource;
  readonly files: readonly PartFile[];
  readonly about: string;
}

/** Parts that were chosen to go together. */
export interface PartSet {
  readonly name: string;
  readonly about: string;
  /** Entries `name@version`. */
  readonly parts: readonly string[];
}

/** The name that the command line and the lock file use. */
export function partId({ name, version }: Pick<Part, 'name' | 'version'>): string {
  return `${name}@${version}`;
}
