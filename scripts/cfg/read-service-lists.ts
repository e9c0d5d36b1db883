import type { Place } from './findings.ts';
import { type JsonNode, member, printNode } from './json-text.ts';
import { isKnownUser } from './known-names.ts';
import { itemPlace, keyOf, placeOf, type ServiceReading } from './service-reading.ts';

/** Room for a name and a value of `env`: MAX_ENV_NAME and MAX_ENV_VALUE with the closing zero. */
const envNameRoom = 63;
const envValueRoom = 127;

const capabilities: readonly string[] =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON'.split(
    ' ',
  );

function textOf(node: JsonNode, key: string): string | undefined {
  const value = member(node, key)?.value;
  return value?.kind === 'string' && value.text !== '' ? value.text : undefined;
}

/** Names of the variables that a service gets; null where `env` makes the service unusable. */
export function readEnv(reading: ServiceReading): readonly string[] | null {
  const { report } = reading;
  const entry = keyOf(reading, 'env');
  if (entry === undefined) return [];
  const place = placeOf(reading, entry);
  if (entry.value.kind !== 'array') {
    report('env-type', place, `it is ${printNode(entry.value)}`);
    return [];
  }
  let isWhole = true;
  const names: string[] = [];
  for (const [index, item] of entry.value.items.entries()) {
    const at = itemPlace(place, index, item);
    const name = textOf(item, 'name');
    const value = textOf(item, 'value');
    if (name === undefined || value === undefined) {
      report('env-item', at, name === undefined ? 'there is no name' : `"${name}" has no value`);
      isWhole = false;
      continue;
    }
    names.push(name);
    if (name.length > envNameRoom) report('env-long', at, `the name has ${name.length} characters`);
    if (value.length > envValueRoom) report('env-long', at, `"${name}" has ${value.length} characters`);
    if (value.includes('${')) report('env-param', at, `"${name}" holds ${value}`);
  }
  return isWhole ? names : null;
}

/** Checks `caps`; false where it makes the service unusable. */
export function readCaps(reading: ServiceReading, isRoot: boolean): boolean {
  const { report } = reading;
  const entry = keyOf(reading, 'caps');
  if (entry === undefined) return true;
  const place = placeOf(reading, entry);
  if (entry.value.kind !== 'array') {
    report('caps-type', place, `it is ${printNode(entry.value)}`);
    return true;
  }
  const { items } = entry.value;
  if (items.length > 100) report('caps-many', place, `there are ${items.length}`);
  for (const [index, item] of items.entries()) {
    const isKnown =
      item.kind === 'number' ||
      (item.kind === 'string' && capabilities.includes(item.text.replace(/^CAP_/, '')));
    if (!isKnown) report('caps-unknown', itemPlace(place, index, item), `${printNode(item)}`);
  }
  if (isRoot && items.length > 0) report('caps-root', place, `root with ${items.length} capabilities`);
  return items.length <= 100;
}

function checkWords(reading: ServiceReading, name: string): void {
  const { report, release } = reading;
  const entry = keyOf(reading, name);
  if (entry === undefined) return;
  const place = placeOf(reading, entry);
  if (entry.value.kind !== 'array' || entry.value.items.length === 0) {
    report('list-type', place, `it is ${entry.value.kind === 'array' ? 'empty' : printNode(entry.value)}`);
    return;
  }
  const limit = release === '7.0' ? 120 : 100;
  if (entry.value.items.length >= limit) report('list-count', place, `there are ${entry.value.items.length}`);
  for (const [index, item] of entry.value.items.entries()) {
    const at = itemPlace(place, index, item);
    if (item.kind !== 'string') report('list-type', at, `it is ${printNode(item)}`);
    else if (item.text.length > 200) report('list-long', at, `it has ${item.text.length} characters`);
  }
}

function checkCpus(reading: ServiceReading): void {
  const entry = keyOf(reading, 'cpucore');
  if (entry === undefined) return;
  const { value } = entry;
  if (value.kind === 'array' && value.items.length === 0) {
    reading.report('cpucore-empty', placeOf(reading, entry), 'the list is empty');
    return;
  }
  const isList =
    value.kind === 'array' && value.items.every((item) => item.kind === 'number' && item.value >= 0);
  if (!isList) reading.report('cpucore-type', placeOf(reading, entry), `it is ${printNode(value)}`);
}

function checkKernelPermission(reading: ServiceReading): void {
  const entry = keyOf(reading, 'kernel_permission');
  if (entry === undefined) return;
  const { value } = entry;
  const isFine =
    value.kind === 'object' &&
    value.entries.length < 64 &&
    value.entries.every((item) => item.value.kind === 'number' || item.value.kind === 'boolean');
  if (!isFine) reading.report('kernel-permission', placeOf(reading, entry), `it is ${printNode(value)}`);
}

/** Checks the lists whose mistakes init passes over. */
export function checkLists(reading: ServiceReading): void {
  for (const name of ['writepid', 'd-caps', 'permission', 'permission_acls']) checkWords(reading, name);
  checkCpus(reading);
  checkKernelPermission(reading);
  const apl = keyOf(reading, 'apl');
  if (apl === undefined) return;
  const isKnown =
    apl.value.kind === 'string' && ['normal', 'system_basic', 'system_core'].includes(apl.value.text);
  if (!isKnown) reading.report('apl-unknown', placeOf(reading, apl), `it is ${printNode(apl.value)}`);
}

const socketWords: Readonly<Record<string, readonly string[]>> = {
  family: ['AF_UNIX', 'AF_NETLINK'],
  type: ['SOCK_SEQPACKET', 'SOCK_STREAM', 'SOCK_DGRAM'],
  protocol: ['default', 'NETLINK_KOBJECT_UEVENT'],
};

function checkSocket(item: JsonNode, place: Place, { report, release }: ServiceReading): void {
  const missing = ['name', 'family', 'type', 'protocol', 'permissions', 'uid', 'gid'].filter(
    (key) => textOf(item, key) === undefined,
  );
  if (missing.length > 0) report('socket-field', place, `no text under ${missing.join(', ')}`);
  const name = textOf(item, 'name') ?? '';
  if (name.length > 32) report('socket-field', place, `the name has ${name.length} characters`);
  for (const [key, known] of Object.entries(socketWords)) {
    const word = textOf(item, key);
    if (word !== undefined && !known.includes(word)) report('socket-word', place, `${key} "${word}"`);
  }
  const uid = textOf(item, 'uid');
  if (uid !== undefined && !/^\d+$/.test(uid) && !isKnownUser(uid, release)) {
    report('socket-field', place, `no user "${uid}"`);
  }
}

function checkSockets(reading: ServiceReading): void {
  const socket = keyOf(reading, 'socket');
  if (socket === undefined) return;
  const place = placeOf(reading, socket);
  if (socket.value.kind !== 'array' || socket.value.items.length === 0) {
    reading.report('socket-type', place, `it is ${printNode(socket.value)}`);
    return;
  }
  for (const [index, item] of socket.value.items.entries()) {
    checkSocket(item, itemPlace(place, index, item), reading);
  }
}

/** Reports whether init takes an entry of `file`: PATH, how it is opened, permissions, user, group. */
function isFileEntry(item: JsonNode): boolean {
  if (item.kind !== 'string') return false;
  const words = item.text.split(' ').filter((word) => word !== '');
  const [, mode = '', permissions = ''] = words;
  return words.length >= 5 && ['rd', 'wd', 'rw'].includes(mode) && /^[0-7]+$/.test(permissions);
}

/** Checks sockets and files, which init drops together where one is wrong. */
export function checkSocketsAndFiles(reading: ServiceReading): void {
  checkSockets(reading);
  const file = keyOf(reading, 'file');
  if (file?.value.kind !== 'array') return;
  for (const [index, item] of file.value.items.entries()) {
    if (isFileEntry(item)) continue;
    reading.report('file-field', itemPlace(placeOf(reading, file), index, item), `it is ${printNode(item)}`);
  }
}
