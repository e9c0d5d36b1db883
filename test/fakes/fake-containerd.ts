import type { ContainerdApi } from '../../agent/core/containerd-api.ts';

/** containerd as its direct question sees it. */
export class FakeContainerd implements ContainerdApi {
  /** Sockets behind which one lists its namespaces. */
  readonly listing = new Set<string>();

  listsNamespaces(socketPath: string): Promise<boolean> {
    return Promise.resolve(this.listing.has(socketPath));
  }
}
