/** Appending as a port, apart from `Files` because few rooms keep journals. Paths are absolute. */
export interface AppendFiles {
  /**
   * Appends text in one piece and resolves only when it is on the disk (fdatasync), so that a caller may rely on it
   * after a power cut. Makes the file (mode 0600) where it does not exist. Where the disk takes only a part, the part
   * is taken back before the rejection with FILE_FAILED.
   */
  append(path: string, text: string): Promise<void>;
}
