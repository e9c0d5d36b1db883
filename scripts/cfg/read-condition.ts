import type { Place, Report } from './findings.ts';

/** Longest parameter name: PARAM_NAME_LEN_MAX in openharmony/startup_init interfaces/innerkits/include/param. */
const nameRoom = 95;

type Token = '(' | ')' | '&&' | '||' | { readonly operand: string };

/** Tokens of a condition; undefined where a single `&` or `|` makes init lose the job. */
function tokenize(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let operand = '';
  const flush = (): void => {
    if (operand.trim() !== '') tokens.push({ operand: operand.trim() });
    operand = '';
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === '&' || char === '|') {
      if (text[at + 1] !== char) return undefined;
      flush();
      tokens.push(char === '&' ? '&&' : '||');
      at++;
    } else if (char === '(' || char === ')') {
      flush();
      tokens.push(char);
    } else operand += char;
  }
  flush();
  return tokens;
}

function areParensClosed(tokens: readonly Token[]): boolean {
  const count = (wanted: Token): number => tokens.filter((token) => token === wanted).length;
  return !closesTooMuch(tokens) && count('(') === count(')');
}

/** Reports whether operands and operators alternate, parentheses apart. */
function doAlternate(tokens: readonly Token[]): boolean {
  let wantsOperand = true;
  for (const token of tokens) {
    if (token === '(' || token === ')') continue;
    const isOperand = typeof token === 'object';
    if (isOperand !== wantsOperand) return false;
    wantsOperand = !wantsOperand;
  }
  return !wantsOperand;
}

function checkComparison(operand: string, place: Place, report: Report): void {
  const [name = ''] = operand.split('=');
  if (/[!<>~]$/.test(name) || operand.includes('==')) {
    report('condition-compare', place, `"${operand}" is no NAME=VALUE`);
  } else if (/\s/.test(operand)) {
    report('condition-compare', place, `"${operand}" has a space in it`);
  }
  if (name.length > nameRoom) report('condition-long', place, `a name has ${name.length} characters`);
}

/** Reports whether a `)` stands there without its `(`: init loses the job then, a `(` too many only keeps it from firing. */
function closesTooMuch(tokens: readonly Token[]): boolean {
  let depth = 0;
  for (const token of tokens) {
    if (token === '(') depth++;
    if (token === ')') depth--;
    if (depth < 0) return true;
  }
  return false;
}

/**
 * Checks a condition as init's ConvertInfixToPrefix and ComputeCondition take it. `bareNames` allows an operand without
 * a comparison, the boot stage of a `boot && a=b` job. Tells whether init keeps the job.
 */
export function checkCondition(text: string, bareNames: boolean, place: Place, report: Report): boolean {
  const tokens = tokenize(text);
  if (tokens === undefined) {
    report('condition-operator', place, `"${text}" has a single & or |`);
    return false;
  }
  if (!areParensClosed(tokens)) {
    report('condition-parens', place, `"${text}"`);
    return !closesTooMuch(tokens);
  }
  if (!doAlternate(tokens)) {
    report('condition-operand', place, `"${text}"`);
    return true;
  }
  for (const token of tokens) {
    if (typeof token !== 'object') continue;
    if (token.operand.includes('=')) checkComparison(token.operand, place, report);
    else if (!bareNames) report('condition-compare', place, `"${token.operand}" has no =VALUE`);
  }
  return true;
}
