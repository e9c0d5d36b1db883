/** A folder of the part's store, or what the image brought. */
export type Slot = string;

/** The slot that is no folder of ours: the part of the image. */
export const imageSlot = 'image';

/**
 * How far a change of the part has come. `switching`: the record says the new one, whoever uses it may still be the old
 * one. `watching`: the new one runs and has to prove itself. `reverting`: the record says the old one again, whoever uses
 * it may still be the new one.
 */
export type PartPhase = 'settled' | 'switching' | 'watching' | 'reverting';

/** Why a slot was given up. */
export interface Rejection {
  readonly slot: Slot;
  readonly atMs: number;
  readonly reason: string;
  /** One line. */
  readonly message: string;
}

/** Everything that a power cut must not take from a part: written in one piece, and in it the switch itself. */
export interface PartRecord {
  readonly current: Slot;
  /** What `rollback` goes back to. */
  readonly former: Slot | undefined;
  /** What `former` was before the change that is under way: the one to keep where the change is taken back. */
  readonly older: Slot | undefined;
  readonly phase: PartPhase;
  /** Boot in which the phase began. */
  readonly boot: string;
  /** Boots in which the change was on trial. */
  readonly boots: number;
  /** Wall-clock milliseconds of the change. */
  readonly sinceMs: number;
  /** What must be so again for the change to be good: `ready`, `running`, or names of conditions. */
  readonly goal: readonly string[];
  /** What the image's own part was like when the change was made; an image that brings another one wins again. */
  readonly base: string;
  readonly rejected: Rejection | undefined;
}

/** A part that was never changed. */
export const untouched: PartRecord = {
  current: imageSlot,
  former: undefined,
  older: undefined,
  phase: 'settled',
  boot: '',
  boots: 0,
  sinceMs: 0,
  goal: [],
  base: '',
  rejected: undefined,
};

const header = 'oh-edge-part 1';
const slotPattern = /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,79}$/;
const phases: readonly string[] = ['settled', 'switching', 'watching', 'reverting'];

/** Reports whether a word can be the name of a slot: it becomes part of a path. */
export function isSlot(word: string): boolean {
  return slotPattern.test(word);
}

/** Lines `key value`: the start script of the agent reads them with the shell's own `read`. */
export function encodePartRecord(record: PartRecord): string {
  const { current, former, older, phase, boot, boots, sinceMs, goal, base, rejected } = record;
  const lines: readonly (readonly [string, string | number])[] = [
    ['current', current],
    ['former', former ?? ''],
    ['older', older ?? ''],
    ['phase', phase],
    ['boot', boot],
    ['boots', boots],
    ['since', sinceMs],
    ['goal', goal.join(',')],
    ['base', base],
    ...(rejected === undefined
      ? []
      : [
          [
            'rejected',
            `${rejected.slot} ${rejected.atMs} ${rejected.reason} ${oneLine(rejected.message)}`,
          ] as const,
        ]),
  ];
  const filled = lines.filter(([, value]) => value !== '').map(([key, value]) => `${key} ${value}\n`);
  return `${header}\n${filled.join('')}end\n`;
}

/** Reads a record back; undefined where the text is none, or not a whole one. */
export function decodePartRecord(text: string): PartRecord | undefined {
  const lines = text.split('\n');
  if (lines[0] !== header || lines.at(-2) !== 'end' || lines.at(-1) !== '') return undefined;
  const fields = new Map(lines.slice(1, -2).map(splitLine));
  const of = (key: string): string => fields.get(key) ?? '';
  const slots = ['current', 'former', 'older'].map(of);
  const [current = '', former = '', older = ''] = slots;
  const phase = of('phase');
  if (!isSlot(current) || !slots.slice(1).every((slot) => slot === '' || isSlot(slot))) return undefined;
  if (!phases.includes(phase)) return undefined;
  return {
    current,
    former: former === '' ? undefined : former,
    older: older === '' ? undefined : older,
    phase: phase as PartPhase,
    boot: of('boot'),
    boots: numberOf(of('boots')),
    sinceMs: numberOf(of('since')),
    goal: of('goal')
      .split(',')
      .filter((word) => word !== ''),
    base: of('base'),
    rejected: rejectionOf(of('rejected')),
  };
}

function splitLine(line: string): [string, string] {
  const blank = line.indexOf(' ');
  return blank === -1 ? [line, ''] : [line.slice(0, blank), line.slice(blank + 1)];
}

function rejectionOf(text: string): Rejection | undefined {
  const [, slot, atMs, reason, message] = /^(\S+) (\d{1,15}) (\S+) ?(.*)$/.exec(text) ?? [];
  if (slot === undefined || reason === undefined || !isSlot(slot)) return undefined;
  return { slot, atMs: Number(atMs), reason, message: message ?? '' };
}

function numberOf(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 900);
}
