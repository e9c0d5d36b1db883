import type { Place, Report } from './findings.ts';
import { type JsonEntry, type JsonNode, member } from './json-text.ts';
import type { Release } from './release.ts';
import { findKey, isRead } from './service-keys.ts';

/** One service of a file, read as one release of init reads it. */
export interface ServiceReading {
  readonly node: JsonNode;
  readonly at: Place;
  readonly release: Release;
  readonly report: Report;
  /** Job names that the file defines, boot stages among them. */
  readonly jobs: ReadonlySet<string>;
}

/** The member that this release reads under a key; undefined where there is none or the release does not know the key. */
export function keyOf({ node, release }: ServiceReading, name: string): JsonEntry | undefined {
  const key = findKey(name);
  if (key === undefined || !isRead(key, release)) return undefined;
  return member(node, name, key.isExact);
}

/** The place of a member of the service. */
export function placeOf({ at }: ServiceReading, { key, line }: JsonEntry): Place {
  return { line, path: `${at.path}.${key}` };
}

/** The place of an item of a list. */
export function itemPlace(list: Place, index: number, item: JsonNode): Place {
  return { line: item.line, path: `${list.path}[${index}]` };
}
