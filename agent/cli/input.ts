import { AgentError } from '../core/agent-error.ts';
import type { CommandContext, CommandInput } from './command.ts';
import { parseDuration } from './duration.ts';

/** Whether a switch was given. */
export function hasFlag(input: CommandInput, name: string): boolean {
  return input.options[name] === true;
}

/** Text of an option, or undefined where it was not given. */
export function textOf(input: CommandInput, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** Every value of an option that may be given several times. */
export function listOf(input: CommandInput, name: string): readonly string[] {
  const value = input.options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

/** Whole number of an option; USAGE where it is none or too large. */
export function countOf(input: CommandInput, name: string, max: number): number | undefined {
  const text = textOf(input, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value <= max) return value;
  throw new AgentError('USAGE', `Cannot use --${name} "${text}": want a whole number from 0 to ${max}`);
}

/** Milliseconds of an option that is a duration. */
export function durationOf(input: CommandInput, name: string): number | undefined {
  const text = textOf(input, name);
  return text === undefined ? undefined : parseDuration(`--${name}`, text);
}

/** Wall-clock milliseconds of an option that is a date or a time ago; USAGE where it is neither. */
export function instantOf(ctx: CommandContext, input: CommandInput, name: string): number | undefined {
  const text = textOf(input, name);
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?\s*(ms|s|m|min|h|d)$/.test(text))
    return Math.max(0, ctx.clock.wallMs() - parseDuration(`--${name}`, text));
  const instant = ctx.instant(text);
  if (instant !== undefined) return instant;
  throw new AgentError(
    'USAGE',
    `Cannot use --${name} "${text}": want a time ago such as 10m, or a date such as "2025-01-31 13:05"`,
  );
}

/** Writes a wire value as one line of JSON: the whole output of --json. */
export function printJson(ctx: CommandContext, value: unknown): void {
  ctx.out(JSON.stringify(value));
}
