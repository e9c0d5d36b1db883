/** What to do about an errno word of the disk, with what goes before it; empty where the word says nothing about that. */
export function fixFor(errno: string): string {
  switch (errno) {
    case 'EROFS':
      return '; the file system is read-only, choose a place below /data';
    case 'ENOSPC':
      return '; the disk is full, free some space';
    case 'EDQUOT':
      return '; the quota is used up, free some space';
    case 'EACCES':
    case 'EPERM':
      return '; run as root or check the mode and the SELinux label';
    case 'EIO':
      return '; the disk gives an error there, see dmesg';
    case 'EMFILE':
    case 'ENFILE':
      return '; too many files are open, close some or restart who holds them';
    default:
      return '';
  }
}
