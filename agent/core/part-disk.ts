/**
 * What the store of updated parts does to the disk besides reading and replacing small files. Paths are absolute. Each
 * call resolves when its effect survives a power cut; one that is cut short has happened or has not.
 */
export interface PartDisk {
  /** Bytes that may still be written on the file system that holds a path, which need not exist yet. */
  freeBytes(path: string): Promise<number>;
  /** Makes a folder, mode 0755, and its parents; an existing one is left as it is. */
  makeFolder(path: string): Promise<void>;
  /** Removes a file, a link or a folder with everything in it; an absent one is no error. */
  removeTree(path: string): Promise<void>;
  /** Writes everything in a folder to the disk, the files' modes and its own entries included. */
  syncFolder(path: string): Promise<void>;
  /** Gives a folder another name; nothing may have that name yet. */
  rename(from: string, to: string): Promise<void>;
  /** Points a symbolic link to a target, whatever it pointed to before; the folder of the link must exist. */
  pointLink(path: string, target: string): Promise<void>;
  /** What a symbolic link points to; undefined where there is no link. */
  linkTarget(path: string): Promise<string | undefined>;
  /** Gives a file a second name on the same file system; where that cannot be, copies it. */
  shareFile(from: string, to: string): Promise<void>;
  /** Size of a file in bytes; undefined where there is no ordinary file. */
  sizeOf(path: string): Promise<number | undefined>;
  /** SHA-256 of a file in hexadecimal digits, as launch.sh asks busybox for it; empty where the file cannot be read. */
  sumOf(path: string): Promise<string>;
}
