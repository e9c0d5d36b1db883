import { AgentError, errnoOf, messageOf } from '../../agent/core/agent-error.ts';
import type { Place, Report } from './findings.ts';
import { type JsonNode, member, printNode, readJson } from './json-text.ts';

/** Users that a service may have by the product's high_privilege_process_list.json. */
export type ProcessList = ReadonlyMap<string, string | undefined>;

/** Reads high_privilege_process_list.json. Throws INPUT_INVALID for anything else. */
export function parseProcessList(text: string, source: string): ProcessList {
  const json = readJson(text);
  const list = json.isRead ? member(json.root, 'high_privilege_process_list', true)?.value : undefined;
  if (list?.kind !== 'array') {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot read "${source}" as a process list: want an object with the array "high_privilege_process_list", as in the product's security_config folder`,
    );
  }
  const entries = new Map<string, string | undefined>();
  for (const item of list.items) {
    const name = member(item, 'name', true)?.value;
    const uid = member(item, 'uid', true)?.value;
    if (name?.kind === 'string') entries.set(name.text, uid?.kind === 'string' ? uid.text : undefined);
  }
  return entries;
}

/** Complains about a file that cannot be read at all. */
export function unreadable(path: string, error: unknown): AgentError {
  return new AgentError(
    'INPUT_INVALID',
    `Cannot read "${path}": ${errnoOf(error) ?? messageOf(error)}; name a readable file`,
    {
      cause: error,
    },
  );
}

function isPrivileged(value: JsonNode | undefined): string | undefined {
  return value?.kind === 'string' && (value.text === 'root' || value.text === 'system')
    ? value.text
    : undefined;
}

/** Users that the sockets of a service have, as far as the build's check looks at them. */
function socketUsers(service: JsonNode): readonly string[] {
  const sockets = member(service, 'socket', true)?.value;
  if (sockets?.kind !== 'array') return [];
  return sockets.items.flatMap((socket) => isPrivileged(member(socket, 'uid', true)?.value) ?? []);
}

/** The user for which the build's check wants an entry in its list; undefined where it wants none. */
function userToList(service: JsonNode, at: Place, report: Report): string | undefined {
  const own = isPrivileged(member(service, 'uid', true)?.value);
  const users = socketUsers(service);
  const other = users.find((user) => own !== undefined && user !== own);
  if (other !== undefined) report('build-socket-uid', at, `uid is ${own ?? ''}, a socket's is ${other}`);
  return own ?? users[0];
}

function checkListed(name: string, uid: string, list: ProcessList): string | undefined {
  if (list.get(name) === uid) return undefined;
  return list.has(name) ? `lists "${name}" as ${list.get(name) ?? 'nobody'}` : `does not list "${name}"`;
}

function checkService(service: JsonNode, at: Place, list: ProcessList | undefined, report: Report): void {
  const name = member(service, 'name', true)?.value;
  if (name?.kind !== 'string') return;
  const anyCase = member(service, 'uid');
  if (anyCase !== undefined && anyCase.key !== 'uid') {
    report(
      'build-uid-case',
      { line: anyCase.line, path: `${at.path}.${anyCase.key}` },
      printNode(anyCase.value),
    );
  }
  const uid = userToList(service, at, report);
  if (uid === undefined) return;
  if (list === undefined) {
    report('build-list-asked', at, `"${name.text}" runs as ${uid}`);
    return;
  }
  const problem = checkListed(name.text, uid, list);
  if (problem !== undefined) report('build-list', at, `the process list ${problem}, want ${uid}`);
}

/**
 * Checks what the product's build checks: it reads keys in exact spelling and stops at a service with the text `root`
 * or `system` for uid that its process list does not hold with the same user.
 */
export function checkBuild(root: JsonNode, list: ProcessList | undefined, report: Report): void {
  const services = member(root, 'services', true)?.value;
  if (services?.kind !== 'array') return;
  for (const [index, service] of services.items.entries()) {
    checkService(service, { line: service.line, path: `services[${index}]` }, list, report);
  }
}
