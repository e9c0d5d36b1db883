import { errnoOf, messageOf } from '../core/agent-error.ts';
import { LinkError } from '../core/link.ts';

/** errno words that speak of the file itself; any other, e.g. EMFILE or EIO, passes, and what is there may be good. */
const lasting: readonly string[] = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG'];

/** A link whose certificate files cannot be used: what failed, and `fix` where it will not mend itself. */
export function unusableFiles(what: string, fix: string, error: unknown): LinkError {
  const errno = errnoOf(error);
  const isPassing = errno !== undefined && /^E[A-Z0-9]+$/.test(errno) && !lasting.includes(errno);
  const message = `${what}: ${errno ?? messageOf(error)}; ${isPassing ? 'it is tried again' : fix}`;
  const reason = isPassing ? 'CertificateUnreadable' : 'CertificateMissing';
  return new LinkError({ reason, message, isPermanent: !isPassing }, { cause: error });
}
