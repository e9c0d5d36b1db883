import * as v from 'valibot';
import type { Problem } from './config.ts';

const absolute = v.pipe(v.string(), v.regex(/^\/[^\0]*$/, 'want an absolute path'));
const unitName = /^[a-z][a-z0-9-]{0,31}$/;
/** Names of the units that the agent itself knows. */
const builtIn: readonly string[] = ['agent', 'containerd', 'dockerd', 'edgecore'];

function whole(min: number, max: number) {
  const isWhole = (value: number): boolean => Number.isInteger(value) && value >= min && value <= max;
  return v.pipe(v.number(), v.check(isWhole, `want a whole number from ${min} to ${max}`));
}

const schema = v.strictObject({
  argv: v.pipe(v.array(v.string()), v.minLength(1, 'is empty, want at least the program')),
  env: v.optional(v.record(v.string(), v.string()), {}),
  cwd: v.optional(absolute, '/'),
  needs: v.optional(v.array(v.string()), []),
  stopMs: v.optional(whole(100, 600_000), 10_000),
  startMs: v.optional(whole(1_000, 3_600_000), 60_000),
  oomScoreAdj: v.optional(whole(-1_000, 1_000), 0),
  /** Unix socket that accepts connections when the unit is ready. */
  readySocket: v.optional(absolute),
});

/** One unit of the key `units`, defaults filled in. Without `readySocket` a unit is ready as soon as it runs. */
export type DeclaredUnit = v.InferOutput<typeof schema> & { readonly name: string };

/** The declared units, and what is wrong with the others. */
export interface DeclaredUnits {
  readonly units: readonly DeclaredUnit[];
  readonly problems: readonly Problem[];
}

/** Parses the mapping of the key `units`. */
export function parseDeclaredUnits(mapping: Readonly<Record<string, unknown>>): DeclaredUnits {
  const parsed = Object.entries(mapping).map(([name, value]) => parseUnit(name, value));
  const units = parsed.flatMap((one) => one.units);
  const problems = parsed.flatMap((one) => one.problems);
  return { units, problems: [...problems, ...unknownNeeds(units, Object.keys(mapping)), ...circles(units)] };
}

function unknownNeeds(units: readonly DeclaredUnit[], names: readonly string[]): readonly Problem[] {
  const own = builtIn.filter((name) => name !== 'agent');
  const known = [...own, ...names.filter((name) => unitName.test(name) && !builtIn.includes(name))];
  return units.flatMap(({ name, needs }) =>
    needs
      .filter((need) => !known.includes(need))
      .map((need) => ({
        path: `units.${name}.needs`,
        message: `names "${need}", which is no unit, want one of ${known.join(', ')}`,
      })),
  );
}

/** Each circle once, told at the first of its units. */
function circles(units: readonly DeclaredUnit[]): readonly Problem[] {
  const needsOf = new Map(units.map(({ name, needs }) => [name, needs]));
  const done = new Set<string>();
  const problems: Problem[] = [];
  const visit = (name: string, trail: readonly string[]): void => {
    const at = trail.indexOf(name);
    if (at !== -1) {
      const circle = [...trail.slice(at), name].join(' -> ');
      problems.push({ path: `units.${name}.needs`, message: `makes a circle: ${circle}` });
    }
    if (at !== -1 || done.has(name)) return;
    for (const need of needsOf.get(name) ?? []) visit(need, [...trail, name]);
    done.add(name);
  };
  for (const { name } of units) visit(name, []);
  return problems;
}

function parseUnit(name: string, value: unknown): DeclaredUnits {
  const path = `units.${name}`;
  const problems: Problem[] = [];
  if (builtIn.includes(name))
    problems.push({ path, message: 'is a unit of the agent itself, choose another name' });
  else if (!unitName.test(name)) {
    problems.push({
      path,
      message: 'is no unit name, want at most 32 lower-case letters, digits and dashes',
    });
  }
  const result = v.safeParse(schema, value);
  if (!result.success) problems.push(...result.issues.map((issue) => problemOf(path, issue)));
  else if (!result.output.argv[0]?.startsWith('/')) {
    problems.push({ path: `${path}.argv`, message: 'does not begin with the absolute path of a program' });
  }
  if (problems.length > 0 || !result.success) return { units: [], problems };
  return { units: [{ name, ...result.output }], problems };
}

function problemOf(path: string, issue: v.BaseIssue<unknown>): Problem {
  const field = v.getDotPath(issue);
  // Only its owner knows what is a secret there, and a problem is told to the log and to the cloud.
  const isPrivate = /^(?:env|argv)(?:\.|$)/.test(field ?? '');
  return { path: field === null ? path : `${path}.${field}`, message: messageOf(issue, isPrivate) };
}

/** What is there and what is wanted, in the words of the other keys. */
function messageOf(issue: v.BaseIssue<unknown>, isPrivate: boolean): string {
  const { kind, type, expected, received, message } = issue;
  if (type === 'strict_object' && expected === 'never') return 'is not a known key of a unit';
  if (type === 'strict_object' && received === 'undefined') return 'is missing';
  const wanted = kind === 'schema' ? words[type] : undefined;
  if (wanted !== undefined) return `is ${isPrivate ? 'something else' : received}, want ${wanted}`;
  return message.startsWith('is ') ? message : `is ${received}, ${message}`;
}

const words: Readonly<Record<string, string>> = {
  strict_object: 'a mapping',
  array: 'a list',
  string: 'text',
  number: 'a number',
  record: 'a mapping',
};
