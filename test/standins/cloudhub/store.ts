import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { isObject, type Json, strategicMerge } from './merge.ts';

/** Kinds of objects that the stand-in keeps; the words are those of the messages' resources. */
export type Kind =
  | 'node'
  | 'pod'
  | 'lease'
  | 'event'
  | 'configmap'
  | 'secret'
  | 'persistentvolume'
  | 'persistentvolumeclaim'
  | 'volumeattachment';

/** Name of an object within its kind. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

const withoutNamespace: readonly Kind[] = ['node', 'persistentvolume', 'volumeattachment'];

/** The few things of a Kubernetes API that cloudcore needs: objects with uid and resource version, and merges. */
export class KubeStore {
  readonly #objects = new Map<string, Json>();
  readonly #changes = new EventEmitter();
  #version = 0;

  /** Every object of a kind. */
  list(kind: Kind): readonly Json[] {
    return [...this.#objects].filter(([key]) => key.startsWith(`${kind}/`)).map(([, object]) => object);
  }

  /** One object, or undefined. */
  get(kind: Kind, name: ObjectName): Json | undefined {
    return this.#objects.get(keyOf(kind, name));
  }

  /** Writes an object; uid and creation time stay those of the object that was there. */
  put(kind: Kind, name: ObjectName, object: Json): Json {
    this.#version += 1;
    const before = metadataOf(this.get(kind, name));
    const metadata = {
      creationTimestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      uid: randomUUID(),
      ...metadataOf(object),
      ...pick(before, ['creationTimestamp', 'uid']),
      ...(withoutNamespace.includes(kind) ? {} : { namespace: name.namespace }),
      name: name.name,
      resourceVersion: String(this.#version),
    };
    const stored = { ...object, metadata };
    this.#objects.set(keyOf(kind, name), stored);
    this.#changes.emit('change');
    return stored;
  }

  /** Merges a strategic patch; undefined where there is no such object. */
  patch(kind: Kind, name: ObjectName, patch: Json): Json | undefined {
    const before = this.get(kind, name);
    return before === undefined ? undefined : this.put(kind, name, strategicMerge(before, patch));
  }

  /** Removes an object; reports whether it was there. */
  remove(kind: Kind, name: ObjectName): boolean {
    const was = this.#objects.delete(keyOf(kind, name));
    if (was) this.#changes.emit('change');
    return was;
  }

  /** Tells those who wait with `until` that something outside the objects has changed. */
  touch(): void {
    this.#changes.emit('change');
  }

  /** Resolves with the first defined answer of `look`, asked now and after each change. */
  async until<T>(look: () => T | undefined, signal: AbortSignal): Promise<T> {
    for (;;) {
      const answer = look();
      if (answer !== undefined) return answer;
      await once(this.#changes, 'change', { signal });
    }
  }
}

/** Metadata of an object, empty where it has none. */
export function metadataOf(object: Json | undefined): Json {
  const metadata = object?.['metadata'];
  return isObject(metadata) ? metadata : {};
}

/** One condition of a node or pod. */
export function conditionOf(object: Json | undefined, type: string): Json | undefined {
  const status = object?.['status'];
  const conditions = isObject(status) && Array.isArray(status['conditions']) ? status['conditions'] : [];
  return conditions.find((item): item is Json => isObject(item) && item['type'] === type);
}

function keyOf(kind: Kind, { namespace, name }: ObjectName): string {
  return withoutNamespace.includes(kind) ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

function pick(object: Json, names: readonly string[]): Json {
  return Object.fromEntries(Object.entries(object).filter(([name]) => names.includes(name)));
}
