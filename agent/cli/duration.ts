import { AgentError } from '../core/agent-error.ts';

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** A duration for people with at most two units: `3 h 12 min`, `850 ms`. */
export function durationText(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1_000) return `${whole} ms`;
  const first = units.findIndex(([, size]) => whole >= size);
  const [name, size] = units[first] ?? ['s', 1_000];
  const count = Math.floor(whole / size);
  const [nextName, nextSize] = units[first + 1] ?? ['', 1];
  const rest = Math.floor((whole % size) / nextSize);
  return nextName === '' || rest === 0 ? `${count} ${name}` : `${count} ${name} ${rest} ${nextName}`;
}

const suffixes: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of `500ms`, `90s`, `10m`, `2h`, `1d`; a bare number is seconds. USAGE where it is none of them. */
export function parseDuration(option: string, text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|min|h|d)?$/.exec(text.trim());
  if (match === null) {
    throw new AgentError('USAGE', `Cannot use ${option} "${text}": want a time such as 90s, 10m, 2h or 1d`);
  }
  return Math.round(Number(match[1]) * (suffixes[match[2] ?? 's'] ?? 1_000));
}
