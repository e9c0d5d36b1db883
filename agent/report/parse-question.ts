import { AgentError } from '../core/agent-error.ts';
import type { Question } from '../core/question.ts';

/** Prefix of the rule's target path; a rule may leave it out. */
const prefix = '/agent-health';
const maxTargetLength = 2_048;
const maxItems = 200;
const defaultItems = 50;

/** A question taken apart. */
export interface Asked {
  /** Parts of the path after the prefix. */
  readonly parts: readonly string[];
  readonly limit: number;
  readonly after: number;
  readonly signal: AbortSignal;
}

/** Takes a question apart; refuses what is too long, not GET, or has a path that could mean anything but a name. */
export function parseQuestion({ method, target }: Question, signal: AbortSignal): Asked {
  if (method !== 'GET' && method !== 'HEAD') throw refused(`the method is ${method.slice(0, 20)}, want GET`);
  if (target.length > maxTargetLength)
    throw refused(`it is ${target.length} characters long, want at most ${maxTargetLength}`);
  const [path = '', search = ''] = target.split('?', 2);
  const inner = path === prefix || path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
  const parts = inner.split('/').filter((part) => part !== '');
  if (!parts.every((part) => /^[A-Za-z0-9_-]{1,64}$/.test(part)))
    throw refused('its path is not made of plain names');
  const query = new URLSearchParams(search);
  const names = [...query.keys()];
  if (names.some((name) => name !== 'limit' && name !== 'after') || new Set(names).size < names.length)
    throw refused('its parameters are not limit and after, each at most once');
  return {
    parts,
    signal,
    limit: wholeNumber(query, 'limit', defaultItems),
    after: wholeNumber(query, 'after', 0),
  };
}

function wholeNumber(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  const [min, max] = name === 'limit' ? [1, maxItems] : [0, Number.MAX_SAFE_INTEGER];
  if (!(value >= min && value <= max)) throw refused(`"${name}" is no whole number from ${min} to ${max}`);
  return value;
}

function refused(fact: string): AgentError {
  return new AgentError('REQUEST_INVALID', `Cannot answer: ${fact}`);
}
