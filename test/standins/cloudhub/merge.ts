/** A JSON object. */
export type Json = Record<string, unknown>;

/** Lists that Kubernetes merges by a key instead of replacing them, of the objects that an edge patches. */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  addresses: 'type',
  podIPs: 'ip',
  hostIPs: 'ip',
};

/** Reports whether a value is a JSON object. */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Kubernetes' strategic merge for node and pod status: objects merge, null deletes, lists with a merge key merge by
 * it, `$patch: delete` removes an item, `$setElementOrder` sorts, all other lists are replaced.
 */
export function strategicMerge(target: Json, patch: Json): Json {
  const merged: Json = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$')) continue;
    const before = merged[name];
    const mergeKey = mergeKeys[name];
    if (value === null) delete merged[name];
    else if (Array.isArray(value) && mergeKey !== undefined) {
      merged[name] = mergeList(Array.isArray(before) ? before : [], value, mergeKey);
    } else if (isObject(value)) merged[name] = strategicMerge(isObject(before) ? before : {}, value);
    else merged[name] = value;
  }
  for (const [name, order] of Object.entries(patch)) {
    const list = name.startsWith('$setElementOrder/') ? name.slice('$setElementOrder/'.length) : undefined;
    if (list !== undefined) merged[list] = sortAs(merged[list], order, mergeKeys[list]);
  }
  return merged;
}

function mergeList(before: readonly unknown[], patch: readonly unknown[], key: string): unknown[] {
  const merged = [...before];
  for (const item of patch) {
    if (!isObject(item)) continue;
    const index = merged.findIndex((other) => isObject(other) && other[key] === item[key]);
    if (item['$patch'] === 'delete') {
      if (index !== -1) merged.splice(index, 1);
    } else if (index === -1) merged.push(strategicMerge({}, item));
    else merged[index] = strategicMerge(merged[index] as Json, item);
  }
  return merged;
}

/** Sorts the items that the order names; those that it does not name keep their place at the end. */
function sortAs(list: unknown, order: unknown, key: string | undefined): unknown {
  if (!Array.isArray(list) || !Array.isArray(order) || key === undefined) return list;
  const place = (item: unknown) => {
    const found = order.findIndex(
      (wanted) => isObject(wanted) && isObject(item) && wanted[key] === item[key],
    );
    return found === -1 ? order.length : found;
  };
  return [...list].sort((a, b) => place(a) - place(b));
}
