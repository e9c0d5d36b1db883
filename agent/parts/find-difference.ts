import type { PathFacts } from '../core/product-files.ts';
import type { ContentEntry } from './content-manifest.ts';

/** Says how a path differs from what was delivered, as far as this shows without reading it; undefined where it does not. */
export function findDifference(wanted: ContentEntry, found: PathFacts | undefined): string | undefined {
  if (found === undefined) return 'is missing';
  if (found.kind !== wanted.type) return `is a ${found.kind}, want a ${wanted.type}`;
  if (wanted.type === 'link')
    return found.target === wanted.target ? undefined : `leads to ${found.target}, want ${wanted.target}`;
  if (found.sizeBytes !== wanted.sizeBytes) return `has ${found.sizeBytes} bytes, want ${wanted.sizeBytes}`;
  if ((wanted.mode & 0o111) !== 0 && (found.mode & 0o111) === 0)
    return `cannot be executed (mode ${octal(found.mode)}, want ${octal(wanted.mode)})`;
  return undefined;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
