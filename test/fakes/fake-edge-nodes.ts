import type { EdgeNode, EdgeNodes } from '../../agent/core/edge-node.ts';

/** A board that joined, or did not, as told. */
export class FakeEdgeNodes implements EdgeNodes {
  readonly #listeners = new Set<() => void>();
  #node: EdgeNode | undefined;

  constructor(node?: Partial<EdgeNode>) {
    this.#node = node === undefined ? undefined : edgeNode(node);
  }

  read(): Promise<EdgeNode | undefined> {
    return Promise.resolve(this.#node);
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  become(node: Partial<EdgeNode> | undefined): void {
    this.#node = node === undefined ? undefined : edgeNode(node);
    for (const listener of this.#listeners) listener();
  }
}

/** A node of a cluster with an event bus and nothing else, unless told. */
export function edgeNode(parts: Partial<EdgeNode> = {}): EdgeNode {
  return {
    node: 'board-1',
    edgecoreVersion: '1.22.1',
    hub: undefined,
    broker: { url: 'tcp://127.0.0.1:1884' },
    metaServer: undefined,
    ...parts,
  };
}
