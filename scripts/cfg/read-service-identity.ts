import type { Place, Report } from './findings.ts';
import { type JsonNode, printNode } from './json-text.ts';
import { isKnownGroup, isKnownUser } from './known-names.ts';
import { isSince } from './release.ts';
import { itemPlace, keyOf, placeOf, type ServiceReading } from './service-reading.ts';

/** Words of `path` and characters of a word: MAX_PATH_ARGS_CNT and MAX_ONE_ARG_LEN. */
const pathLimit = 19;
const wordLimit = 200;

/** The word of `path` that init keeps; undefined where it makes the service unusable. */
function readWord(item: JsonNode, place: Place, report: Report): string | undefined {
  if (item.kind !== 'string') report('path-type', place, `it is ${printNode(item)}`);
  else if (item.text.length > wordLimit) report('path-long', place, `it has ${item.text.length} characters`);
  else return item.text;
  return undefined;
}

/** The argv of a service; undefined where the service is unusable for it. */
export function readPath(reading: ServiceReading): readonly string[] | undefined {
  const { report, at } = reading;
  const entry = keyOf(reading, 'path');
  if (entry === undefined) {
    report('path-missing', at, 'there is no "path"');
    return undefined;
  }
  const place = placeOf(reading, entry);
  if (entry.value.kind !== 'array') {
    report('path-type', place, `it is ${printNode(entry.value)}`);
    return undefined;
  }
  const { items } = entry.value;
  if (items.length === 0 || items.length > pathLimit) {
    report('path-count', place, `there are ${items.length} words`);
    return undefined;
  }
  const words = items.map((item, index) => readWord(item, itemPlace(place, index, item), report));
  const [program] = words;
  if (program?.startsWith('/') === false) report('path-relative', place, `"${program}" is no absolute path`);
  const kept = words.filter((word) => word !== undefined);
  return kept.length === words.length ? kept : undefined;
}

/** A user by init's own /etc/passwd; one that only the product adds is unknown here. */
function readUserName(text: string, place: Place, { report, release }: ServiceReading): string | undefined {
  if (text === '') {
    report('uid-empty', place, 'it is empty');
    return 'root';
  }
  if (/^\d+$/.test(text)) return text === '0' ? 'root' : text;
  if (isKnownUser(text, release)) return text;
  report('uid-unknown', place, `no user "${text}"`);
  return undefined;
}

/** The user of a service; `root` where none is given, undefined where the service is unusable for it. */
export function readUid(reading: ServiceReading): string | undefined {
  const { report, at, release } = reading;
  const entry = keyOf(reading, 'uid');
  if (entry === undefined) {
    report('uid-missing', at, 'there is no "uid"');
    return 'root';
  }
  const place = placeOf(reading, entry);
  const { value } = entry;
  if (value.kind === 'number' && value.value >= 0) return value.value === 0 ? 'root' : String(value.value);
  if (value.kind === 'string') return readUserName(value.text, place, reading);
  report('uid-type', place, `it is ${printNode(value)}`);
  // 3.1 leaves uid at 0 for other types.
  return value.kind === 'number' || release !== '3.1' ? undefined : 'root';
}

function isGroupValue(value: JsonNode): boolean {
  return (value.kind === 'number' && value.value >= 0) || value.kind === 'string';
}

/** 3.1 decodes group names with DecodeUid: it looks among the users. */
function isFound(name: string, { release }: ServiceReading): boolean {
  if (/^\d+$/.test(name)) return true;
  return release === '3.1' ? isKnownUser(name, release) : isKnownGroup(name, release);
}

/** Reports a group that init does not find or takes for another; false where it is not found. */
function checkGroup(text: string, place: Place, reading: ServiceReading, missing: string): boolean {
  if (text === '') reading.report('gid-zero', place, 'it is empty');
  if (text === '' || isFound(text, reading)) return true;
  reading.report(missing, place, `no group "${text}"`);
  return false;
}

function readGroupList(items: readonly JsonNode[], place: Place, reading: ServiceReading): boolean {
  const { report, release } = reading;
  if (items.length === 0) report('gid-empty', place, 'the list is empty');
  for (const [index, item] of items.entries()) {
    const at = itemPlace(place, index, item);
    if (!isGroupValue(item)) report('gid-type', at, `it is ${printNode(item)}`);
    if (item.kind === 'string')
      checkGroup(item.text, at, reading, isSince(release, '3.2') ? 'gid-skipped' : 'gid-root');
  }
  return items.length > 0;
}

/** Checks the groups; false where the service is unusable for them. */
export function readGid(reading: ServiceReading): boolean {
  const { report, release } = reading;
  const entry = keyOf(reading, 'gid');
  if (entry === undefined) return true;
  const place = placeOf(reading, entry);
  const { value } = entry;
  if (value.kind === 'array') return readGroupList(value.items, place, reading);
  if (value.kind === 'string') return checkGroup(value.text, place, reading, 'gid-unknown');
  if (isGroupValue(value)) return true;
  report('gid-type', place, `it is ${printNode(value)}`);
  // Up to 3.2 init leaves the group to chance for a value that is neither text nor number, and goes on.
  return value.kind !== 'number' && !isSince(release, '4.0');
}
