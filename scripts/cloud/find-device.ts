import type { Kube, KubeName, KubeObject } from './kube.ts';
import { type DeviceGeneration, device, deviceGroup } from './manifests.ts';

/** What the cloud has about one board besides its Node. */
export interface FoundDevice {
  readonly device: KubeObject | undefined;
  /** From 1.23 on reports stand in an object of their own. */
  readonly status: KubeObject | undefined;
}

/** Where Devices are looked for. */
export interface DevicePlace {
  readonly generation: DeviceGeneration;
  readonly namespace: string;
}

const statusVersion = `${deviceGroup}/v1beta1`;

/**
 * Finds the objects of a board by the name of its node. For all boards both kinds are listed once: two questions for each
 * of thousands of boards would keep the API server busy for minutes.
 */
export async function findDevices(
  kube: Kube,
  place: DevicePlace,
  isForAll: boolean,
): Promise<(node: string) => Promise<FoundDevice>> {
  const { generation, namespace } = place;
  const nameOf = (node: string): KubeName => device(generation, namespace, node);
  if (!isForAll) {
    return async (node) => {
      const { metadata } = nameOf(node);
      const status = { apiVersion: statusVersion, kind: 'DeviceStatus', metadata };
      return { device: await kube.read(nameOf(node)), status: await kube.read(status) };
    };
  }
  const byName = (objects: readonly KubeObject[]): ReadonlyMap<string, KubeObject> =>
    new Map(objects.map((object) => [object.metadata.name, object]));
  const devices = byName(await kube.list(`${deviceGroup}/${generation}`, 'Device', namespace));
  const statuses = byName(await kube.list(statusVersion, 'DeviceStatus', namespace));
  return (node) => {
    const { name } = nameOf(node).metadata;
    return Promise.resolve({ device: devices.get(name), status: statuses.get(name) });
  };
}
