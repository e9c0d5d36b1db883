import { type KubeObject, nameText } from './kube.ts';

/** One field that is to be another. */
export interface Change {
  /** Such as `spec.properties.service_port`. */
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** One step of an installation. */
export type InstallStep =
  | { readonly act: 'keep'; readonly object: KubeObject }
  | { readonly act: 'create'; readonly object: KubeObject }
  | { readonly act: 'change'; readonly object: KubeObject; readonly changes: readonly Change[] }
  /** A Device reaches its node only when it is created while the node is connected; a rule is read only then as well. */
  | {
      readonly act: 'create again';
      readonly object: KubeObject;
      readonly why: string;
      readonly changes: readonly Change[];
    }
  | { readonly act: 'remove'; readonly object: KubeObject };

/**
 * Kinds whose changes cloudcore does not take: it knows Added and Deleted only
 * (kubeedge/kubeedge cloud/pkg/edgecontroller/controller/downstream.go syncRule, 1.12 to 1.23).
 */
const unchangeable = ['Rule', 'RuleEndpoint'];

/** Compares one wanted object with what is there. */
export function planObject(
  wanted: KubeObject,
  found: KubeObject | undefined,
  againBecause?: string,
): InstallStep {
  if (found === undefined) return { act: 'create', object: wanted };
  const changes = [
    ...differences(wanted.metadata.labels, found.metadata.labels, 'metadata.labels'),
    ...differences(wanted.spec, found.spec, 'spec'),
  ];
  if (againBecause !== undefined) return { act: 'create again', object: wanted, why: againBecause, changes };
  if (changes.length === 0) return { act: 'keep', object: wanted };
  if (!unchangeable.includes(wanted.kind)) return { act: 'change', object: wanted, changes };
  return { act: 'create again', object: wanted, why: 'cloudcore reads it only when it is new', changes };
}

/** A step as one line; a change has one more for each field. */
export function stepText(step: InstallStep): string {
  const name = nameText(step.object);
  switch (step.act) {
    case 'keep':
      return `= ${name}`;
    case 'create':
      return `+ ${name}`;
    case 'change':
      return [`~ ${name}`, ...step.changes.map(changeText)].join('\n');
    case 'create again':
      return [
        `! ${name}: delete and create again, because ${step.why}`,
        ...step.changes.map(changeText),
      ].join('\n');
    case 'remove':
      return `- ${name}`;
  }
}

function changeText({ path, from, to }: Change): string {
  return `    ${path}: ${valueText(from)} -> ${valueText(to)}`;
}

function valueText(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

/** Fields in which what is there differs from what is wanted; what else is there is nobody's business. */
function differences(wanted: unknown, found: unknown, path: string): readonly Change[] {
  if (isObject(wanted)) {
    const other = isObject(found) ? found : {};
    return Object.entries(wanted).flatMap(([name, value]) =>
      differences(value, other[name], `${path}.${name}`),
    );
  }
  if (Array.isArray(wanted)) {
    const other = Array.isArray(found) ? found : [];
    if (wanted.length !== other.length) {
      return [{ path, from: `${other.length} entries`, to: `${wanted.length} entries` }];
    }
    return wanted.flatMap((value, index) => differences(value, other[index], `${path}[${index}]`));
  }
  return wanted === found ? [] : [{ path, from: found, to: wanted }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
