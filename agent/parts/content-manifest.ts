import * as v from 'valibot';
import { AgentError, messageOf } from '../core/agent-error.ts';

/** A path of the product that can be looked at on a board. */
export type ContentEntry =
  | {
      readonly type: 'file';
      readonly path: string;
      readonly mode: number;
      readonly sha256: string;
      readonly sizeBytes: number;
    }
  | { readonly type: 'link'; readonly path: string; readonly target: string };

const path = v.pipe(v.string(), v.startsWith('/'));

const schema = v.object({
  version: v.literal(1),
  entries: v.array(
    v.variant('type', [
      v.object({ type: v.literal('directory') }),
      v.object({
        type: v.literal('file'),
        path,
        mode: v.pipe(v.string(), v.regex(/^[0-7]{4}$/)),
        sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
        size: v.pipe(v.number(), v.integer(), v.minValue(0)),
      }),
      v.object({ type: v.literal('link'), path, target: v.string() }),
    ]),
  ),
});

/**
 * Reads the content manifest that the image's build wrote. Directories and empty files are left out: they are places
 * for mounts, and the mounts hide them. Throws FILE_FAILED for anything that is no such manifest.
 */
export function parseContentManifest(text: string): readonly ContentEntry[] {
  try {
    return v.parse(schema, JSON.parse(text)).entries.flatMap((entry): ContentEntry[] => {
      if (entry.type === 'link') return [entry];
      if (entry.type === 'directory' || entry.size === 0) return [];
      const { type, path: at, sha256, size } = entry;
      return [{ type, path: at, mode: Number.parseInt(entry.mode, 8), sha256, sizeBytes: size }];
    });
  } catch (error) {
    throw new AgentError('FILE_FAILED', `Cannot read the content manifest: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
