import { checkBuild, type ProcessList } from './build-check.ts';
import type { Report } from './findings.ts';
import { type JsonNode, type JsonText, member, printNode, readJson } from './json-text.ts';
import { definedJobs, type JobOutcome, readJobs, triggeredJobs } from './read-jobs.ts';
import { readServices, type ServiceOutcome } from './read-services.ts';
import { isSince, type Release } from './release.ts';

/** Largest file that init reads, in bytes: MAX_JSON_FILE_LEN in services/utils/init_utils.c. */
export const fileLimit = 102_400;

/** What init makes of a whole file. */
export interface CfgOutcome {
  /** The file is lost as a whole. */
  readonly isLost: boolean;
  readonly services: readonly ServiceOutcome[];
  readonly jobs: readonly JobOutcome[];
}

/** A file to read: its path, text and size, and the product's process list where one is at hand. */
export interface CfgSource {
  readonly path: string;
  readonly text: string;
  readonly bytes: number;
  readonly processList?: ProcessList;
}

const lost: CfgOutcome = { isLost: true, services: [], jobs: [] };

const top = { line: 1, path: '' } as const;

function checkName(path: string, report: Report): void {
  const base = path.slice(path.lastIndexOf('/') + 1);
  if (base.indexOf('.cfg') !== base.length - 4 || base.length < 5)
    report('file-name', top, `it is called "${base}"`);
  if (/\/(?:vendor|chipset|chip_prod)\/etc\/init\//.test(path))
    report('file-chipset', top, `it lies in ${path}`);
}

/** Reports keys that stand twice in an object anywhere in the text. */
function checkTwice(node: JsonNode, path: string, report: Report): void {
  if (node.kind === 'array') {
    for (const [index, item] of node.items.entries()) checkTwice(item, `${path}[${index}]`, report);
  }
  if (node.kind !== 'object') return;
  const seen = new Set<string>();
  for (const { key, line, value } of node.entries) {
    const own = path === '' ? key : `${path}.${key}`;
    if (seen.has(key)) report('json-twice', { line, path: own }, `"${key}" stands there before`);
    seen.add(key);
    checkTwice(value, own, report);
  }
}

/** Keys of the root; `groups` and `modules` belong to the boot group file. */
const rootKeys: readonly string[] = ['services', 'jobs', 'import', 'groups', 'modules'];

function checkRoot(root: JsonNode, report: Report): void {
  if (root.kind !== 'object') {
    report('root-type', { line: root.line, path: '' }, `it is ${printNode(root)}`);
    return;
  }
  for (const { key, line, value } of root.entries) {
    const place = { line, path: key };
    if (!rootKeys.includes(key)) report('root-key', place, `"${key}"`);
    else if (value.kind !== 'array') report('root-array', place, `it is ${printNode(value)}`);
  }
  const imports = member(root, 'import', true)?.value;
  if (imports?.kind !== 'array') return;
  for (const [index, item] of imports.items.entries()) {
    if (item.kind !== 'string') {
      report('import-item', { line: item.line, path: `import[${index}]` }, `it is ${printNode(item)}`);
    }
  }
}

function checkForm(json: Extract<JsonText, { isRead: true }>, report: Report): void {
  if (json.hasByteOrderMark) report('json-mark', top, 'it begins with one');
  if (json.garbageLine !== undefined) {
    report('json-garbage', { line: json.garbageLine, path: '' }, 'something follows the JSON');
  }
  checkTwice(json.root, '', report);
  checkRoot(json.root, report);
}

/** Reads a file as one release of init does, reports what init does not say, and tells what comes of it. */
export function readCfg(source: CfgSource, release: Release, report: Report): CfgOutcome {
  checkName(source.path, report);
  if (source.bytes === 0) {
    report('file-empty', top, 'it has no byte');
    return lost;
  }
  if (source.bytes > fileLimit) {
    report('file-large', top, `it has ${source.bytes} bytes`);
    return lost;
  }
  const json = readJson(source.text);
  if (!json.isRead) {
    report('json-broken', { line: json.line, path: '' }, `column ${json.column}: ${json.problem}`);
    return lost;
  }
  checkForm(json, report);
  const { root } = json;
  // The boot group file names jobs and services instead of defining them: ParseAllJobs never sees it.
  if (member(root, 'groups', true) !== undefined) return { isLost: false, services: [], jobs: [] };
  const services = readServices(root, release, report);
  const triggered = triggeredJobs(root);
  const defined = definedJobs(root);
  for (const { name, line, path } of triggered) {
    if (!defined.has(name) && !name.includes('$')) report('cmd-trigger', { line, path }, `"trigger ${name}"`);
  }
  const used = services.flatMap((service) => Object.values(service.jobs));
  const usedNames = new Set([...used, ...triggered.map(({ name }) => name)]);
  const jobs = readJobs(root, { release, report, usedNames });
  if (isSince(release, '3.2')) checkBuild(root, source.processList, report);
  return { isLost: false, services, jobs };
}
